use std::collections::BTreeMap;

use super::*;
use crate::certification_row::Attribute;
use crate::filter::{Kind, Value};

#[expect(clippy::unnecessary_wraps, reason = "shorter where it is used")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn custom() -> BTreeMap<String, String> {
    BTreeMap::from([("Cost Centre".to_owned(), "A-1".to_owned())])
}

/// With everything that an account and its person can have.
fn source() -> Source {
    let time = || Some("2026-01-02T03:04:05.000006Z".parse().unwrap());
    Source {
        id: Uuid::from_u128(1),
        r#type: some("User"),
        name: "Ann Archer".to_owned(),
        key: "ANN".to_owned(),
        email: some("Ann@Example.com"),
        employee_id: some("E1"),
        datasource_id: Uuid::from_u128(2),
        datasource_name: "Ledger".to_owned(),
        is_active: true,
        last_login_at: time(),
        attributes: custom(),
        identity: SourceIdentity {
            id: Uuid::from_u128(3),
            r#type: "Employee".to_owned(),
            status: "Active".to_owned(),
            is_active: true,
            first_name: some("Ann"),
            last_name: some("Archer"),
            display_name: some("Ann Archer"),
            email: some("Ann@Example.com"),
            employee_id: some("E1"),
            title: some("Clerk"),
            company: some("Example AG"),
            division: some("Finance"),
            department: some("Payables"),
            office: some("Zürich"),
            supervisor: some("E3"),
            supervisor_id: Some(Uuid::from_u128(4)),
            created_date: time(),
            updated_date: time(),
            inactivated_date: time(),
            attributes: custom(),
        },
    }
}

fn destination() -> Destination {
    Destination {
        id: Uuid::from_u128(5),
        r#type: some("Role"),
        name: "Book".to_owned(),
        key: "BOOK".to_owned(),
        description: some("Writes into the ledger"),
        owner: some("cleo@example.com"),
        datasource_id: Uuid::from_u128(2),
        datasource_name: "Ledger".to_owned(),
        is_active: true,
        is_privileged: Some(false),
        attributes: custom(),
    }
}

fn row() -> Row {
    Row {
        source: 0,
        destination: 0,
        granted_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        attributes: custom(),
        previous: None,
        is_unchanged: false,
        reviewers: 0,
    }
}

#[test]
fn filters_see_every_attribute_that_they_can_name() {
    let parts = [source().folded(), destination().folded(), row().folded()];
    for (name, kind, attribute) in Attribute::NAMES {
        let values: Vec<_> = parts.iter().filter_map(|part| part.value(attribute, "")).collect();
        let fits = match values.as_slice() {
            [Value::Text(_)] => kind == Kind::Text,
            [Value::Boolean(_)] => kind == Kind::Boolean,
            [Value::Time(_)] => kind == Kind::Time,
            _ => false,
        };
        assert!(fits, "{name}: {values:?}");
    }
    for (name, attribute) in Attribute::OPEN {
        let values: Vec<_> = parts.iter().filter_map(|part| part.value(attribute, "cost centre")).collect();
        assert_eq!(values, [Value::Text("a-1")], "{name}");
        assert!(parts.iter().all(|part| part.value(attribute, "shoe size").is_none()), "{name}");
    }
}

#[test]
fn texts_are_folded_once_here_and_what_the_tables_hold_is_the_same() {
    let folded = source().folded();
    assert_eq!(folded.value(Attribute::SourceName, ""), Some(Value::Text("ann archer")));
    assert_eq!(folded.value(Attribute::IdentityOffice, ""), Some(Value::Text("zürich")));
    let json = folded.json();
    assert_eq!(json["source.name"], "ann archer");
    assert_eq!(json["source.is_active"], true);
    assert_eq!(json["source.attributes"]["cost centre"], "a-1");
    let members = [source().folded(), destination().folded(), row().folded()]
        .iter()
        .map(|part| part.json().as_object().unwrap().len())
        .sum::<usize>();
    assert_eq!(members, Attribute::NAMES.len() + Attribute::OPEN.len());
}

#[test]
fn what_a_feed_does_not_say_is_not_there() {
    let mut bare = source();
    bare.email = None;
    bare.attributes.clear();
    bare.identity.supervisor_id = None;
    bare.last_login_at = None;
    let folded = bare.folded();
    for attribute in [
        Attribute::SourceEmail,
        Attribute::SourceAttributes,
        Attribute::IdentitySupervisorId,
        Attribute::SourceLastLoginAt,
    ] {
        assert_eq!(folded.value(attribute, "cost centre"), None, "{}", attribute.name());
    }
    assert_eq!(folded.json().get("source.attributes"), None);
}

#[test]
fn the_digest_ignores_times_and_names_of_applications_and_nothing_else() {
    let of = |change: &dyn Fn(&mut Source)| {
        let mut changed = source();
        change(&mut changed);
        changed.digest()
    };
    let time = || Some("2027-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(of(&|_| ()), source().digest());
    assert_eq!(of(&|source| source.last_login_at = time()), source().digest());
    assert_eq!(of(&|source| source.identity.created_date = None), source().digest());
    // An application that is called something else now.
    assert_eq!(of(&|source| source.datasource_name.push('x')), source().digest());
    assert_eq!(of(&|source| source.identity.updated_date = time()), source().digest());
    assert_eq!(of(&|source| source.identity.inactivated_date = time()), source().digest());
    let changes: [&dyn Fn(&mut Source); 9] = [
        &|source| source.name.push('x'),
        &|source| source.email = None,
        &|source| source.is_active = false,
        &|source| source.attributes.clear(),
        &|source| source.identity.title = some("Head"),
        &|source| source.identity.status = "Disabled".to_owned(),
        &|source| source.identity.supervisor_id = None,
        &|source| source.identity.attributes.clear(),
        // Case counts: filters alone fold it.
        &|source| source.key = "ann".to_owned(),
    ];
    for (at, change) in changes.iter().enumerate() {
        assert_ne!(of(change), source().digest(), "change {at}");
    }
    assert_eq!(destination().digest(), destination().digest());
    assert_ne!(Destination { owner: None, ..destination() }.digest(), destination().digest());
    assert_ne!(Destination { is_privileged: None, ..destination() }.digest(), destination().digest());
}

#[test]
fn each_block_has_a_stream_of_its_own() {
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert_eq!(stream(one, 0), stream(one, 0));
    assert_ne!(stream(one, 0), stream(one, 1));
    assert_ne!(stream(one, 0), stream(two, 0));
}
