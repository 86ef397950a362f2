use std::cell::RefCell;

use cqrs_es::Aggregate;
use cqrs_es::test::TestFramework;

use super::*;
use crate::application::CorrelationRule;
use crate::ids;

const IMPORT: Uuid = Uuid::from_u128(100);
const APPLICATION: Uuid = Uuid::from_u128(7);
const ADA: Uuid = Uuid::from_u128(1);
const BOB: Uuid = Uuid::from_u128(2);

fn record(email: &str) -> AccountRecord {
    AccountRecord { email: Some(email.to_owned()), ..Default::default() }
}

fn observed(delivered: Option<AccountRecord>) -> AccountCommand {
    AccountCommand::Observe { import: IMPORT, application_id: APPLICATION, key: "jdoe".to_owned(), delivered }
}

fn added(email: &str) -> AccountEvent {
    AccountEvent::AccountAdded {
        import: IMPORT,
        application_id: APPLICATION,
        key: "jdoe".to_owned(),
        record: record(email),
    }
}

fn changed(email: &str) -> AccountEvent {
    AccountEvent::AccountChanged { import: IMPORT, application_id: APPLICATION, record: record(email) }
}

fn removed() -> AccountEvent {
    AccountEvent::AccountRemoved { import: IMPORT, application_id: APPLICATION }
}

fn may(grants: &[(&str, &[(&str, &str)])]) -> AccountCommand {
    AccountCommand::ObserveAccess {
        import: IMPORT,
        application_id: APPLICATION,
        delivered: grants
            .iter()
            .map(|(entitlement, attributes)| ((*entitlement).to_owned(), pairs(attributes)))
            .collect(),
    }
}

fn pairs(attributes: &[(&str, &str)]) -> Attributes {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn entry(entitlement: &str, attributes: &[(&str, &str)]) -> GrantEntry {
    GrantEntry { entitlement: entitlement.to_owned(), attributes: pairs(attributes) }
}

fn access(granted: &[GrantEntry], changed: &[GrantEntry], revoked: &[&str]) -> AccountEvent {
    AccountEvent::AccountAccessChanged {
        import: IMPORT,
        application_id: APPLICATION,
        granted: granted.to_vec(),
        changed: changed.to_vec(),
        revoked: revoked.iter().map(|key| (*key).to_owned()).collect(),
    }
}

fn by_email(identity_id: Uuid) -> Correlation {
    Correlation { identity_id, by: by_fields("email", "email") }
}

fn by_fields(account_field: &str, identity_field: &str) -> FoundBy {
    FoundBy::Fields { account_field: account_field.to_owned(), identity_field: identity_field.to_owned() }
}

fn correlates(found: Option<Correlation>) -> AccountCommand {
    AccountCommand::Correlate { import: IMPORT, found }
}

fn correlated(identity_id: Uuid) -> AccountEvent {
    AccountEvent::AccountCorrelated { import: IMPORT, identity_id, by: by_fields("email", "email") }
}

fn uncorrelated() -> AccountEvent {
    AccountEvent::AccountUncorrelated { import: IMPORT }
}

#[track_caller]
fn then(given: Vec<AccountEvent>, when: AccountCommand, expected: Vec<AccountEvent>) {
    TestFramework::<Account>::with(()).given(given).when(when).then_expect_events(expected);
}

fn account(events: Vec<AccountEvent>) -> Account {
    let mut account = Account::default();
    for event in events {
        account.apply(event);
    }
    account
}

// The record

#[test]
fn an_account_appears_with_its_first_feed() {
    then(vec![], observed(Some(record("a@x"))), vec![added("a@x")]);
    then(vec![], observed(None), vec![]);
}

#[test]
fn the_same_record_again_appends_nothing() {
    then(vec![added("a@x")], observed(Some(record("a@x"))), vec![]);
    then(vec![added("a@x"), changed("b@x")], observed(Some(record("b@x"))), vec![]);
}

#[test]
fn another_record_is_a_change() {
    then(vec![added("a@x")], observed(Some(record("b@x"))), vec![changed("b@x")]);
    then(vec![added("a@x"), changed("b@x")], observed(Some(record("a@x"))), vec![changed("a@x")]);
}

#[test]
fn an_account_that_no_feed_names_any_more_is_removed_once() {
    then(vec![added("a@x")], observed(None), vec![removed()]);
    then(vec![added("a@x"), removed()], observed(None), vec![]);
}

#[test]
fn an_account_that_returns_is_the_same_one() {
    let gone = vec![added("a@x"), removed()];
    for email in ["a@x", "b@x"] {
        then(gone.clone(), observed(Some(record(email))), vec![changed(email)]);
    }
    let back = vec![added("a@x"), removed(), changed("a@x")];
    then(back, observed(None), vec![removed()]);
}

// Access

#[test]
fn an_account_that_is_removed_loses_all_it_may_do_before() {
    let held = access(&[entry("pay", &[("limit", "100")]), entry("read", &[])], &[], &[]);
    let all_revoked = access(&[], &[], &["pay", "read"]);
    then(vec![added("a@x"), held.clone()], observed(None), vec![all_revoked.clone(), removed()]);
    then(vec![added("a@x"), held, all_revoked, removed()], observed(None), vec![]);
}

#[test]
fn a_removed_account_loses_only_what_it_still_held() {
    let held = access(&[entry("audit", &[]), entry("pay", &[]), entry("read", &[])], &[], &[]);
    let since = access(&[entry("write", &[])], &[entry("pay", &[("limit", "5")])], &["audit"]);
    then(vec![added("a@x"), held, since], observed(None), vec![access(&[], &[], &["pay", "read", "write"]), removed()]);
}

#[test]
fn an_account_that_changes_keeps_what_it_may_do() {
    let held = vec![added("a@x"), access(&[entry("pay", &[])], &[], &[])];
    then(held.clone(), observed(Some(record("b@x"))), vec![changed("b@x")]);
    then([held, vec![changed("b@x")]].concat(), may(&[("pay", &[])]), vec![]);
}

#[test]
fn an_account_that_returns_is_granted_anew_what_it_may_do() {
    let granted = access(&[entry("pay", &[("limit", "100")])], &[], &[]);
    let gone = vec![added("a@x"), granted.clone(), access(&[], &[], &["pay"]), removed()];
    assert!(account(gone.clone()).grants.is_empty());
    then(gone.clone(), observed(Some(record("a@x"))), vec![changed("a@x")]);
    let back = [gone, vec![changed("a@x")]].concat();
    then(back.clone(), may(&[("pay", &[("limit", "100")])]), vec![granted]);
    then(back, observed(None), vec![removed()]);
}

#[test]
fn an_account_with_more_than_1000_grants_is_removed_after_the_last_of_them() {
    let held = grants(1500);
    let all: Vec<&str> = held.iter().map(|entry| entry.entitlement.as_str()).collect();
    then(
        vec![added("a@x"), access(&held[..1000], &[], &[]), access(&held[1000..], &[], &[])],
        observed(None),
        vec![access(&[], &[], &all[..1000]), access(&[], &[], &all[1000..]), removed()],
    );
}

#[test]
fn what_an_account_may_do_is_granted_changed_and_revoked_in_one_event() {
    let held = access(
        &[
            entry("audit", &[]),
            entry("pay", &[("limit", "100")]),
            entry("read", &[("since", "2025")]),
            entry("write", &[]),
        ],
        &[],
        &[],
    );
    then(
        vec![added("a@x"), held],
        may(&[("approve", &[("limit", "5")]), ("pay", &[("limit", "200")]), ("read", &[("since", "2025")])]),
        vec![access(&[entry("approve", &[("limit", "5")])], &[entry("pay", &[("limit", "200")])], &["audit", "write"])],
    );
}

#[test]
fn the_same_access_again_appends_nothing() {
    then(vec![added("a@x")], may(&[]), vec![]);
    let held = access(&[entry("pay", &[("limit", "100")]), entry("read", &[])], &[], &[]);
    then(vec![added("a@x"), held], may(&[("read", &[]), ("pay", &[("limit", "100")])]), vec![]);
}

#[test]
fn a_grant_that_was_revoked_is_granted_anew() {
    let granted = access(&[entry("pay", &[])], &[], &[]);
    let revoked = access(&[], &[], &["pay"]);
    then(vec![added("a@x"), granted.clone()], may(&[]), vec![revoked.clone()]);
    then(vec![added("a@x"), granted.clone(), revoked], may(&[("pay", &[])]), vec![granted]);
}

#[test]
fn a_changed_grant_is_held_as_it_was_changed() {
    let held = vec![
        added("a@x"),
        access(&[entry("pay", &[("limit", "100")])], &[], &[]),
        access(&[], &[entry("pay", &[("limit", "200")])], &[]),
    ];
    then(held.clone(), may(&[("pay", &[("limit", "200")])]), vec![]);
    then(held, may(&[("pay", &[])]), vec![access(&[], &[entry("pay", &[])], &[])]);
}

#[test]
fn access_belongs_to_an_account_that_is_there() {
    let refusal = Refusal::Conflict("The account isn't there; access belongs to an account".to_owned());
    for given in [vec![], vec![added("a@x"), removed()]] {
        TestFramework::<Account>::with(()).given(given).when(may(&[("pay", &[])])).then_expect_error(refusal.clone());
    }
    then(
        vec![added("a@x"), removed(), changed("a@x")],
        may(&[("pay", &[])]),
        vec![access(&[entry("pay", &[])], &[], &[])],
    );
}

/// Grants `g0000`, `g0001`, ...
fn grants(count: usize) -> Vec<GrantEntry> {
    (0..count).map(|number| entry(&format!("g{number:04}"), &[])).collect()
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("r{number:04}")).collect()
}

/// How many entries of each kind every event has: (revoked, changed, granted).
fn sizes(granted: usize, changed: usize, revoked: usize) -> Vec<(usize, usize, usize)> {
    let events = access_changed(IMPORT, APPLICATION, grants(granted), grants(changed), keys(revoked));
    let size = |event: &AccountEvent| match event {
        AccountEvent::AccountAccessChanged {
            import: IMPORT,
            application_id: APPLICATION,
            granted,
            changed,
            revoked,
        } => (revoked.len(), changed.len(), granted.len()),
        other => panic!("{other:?}"),
    };
    events.iter().map(size).collect()
}

#[test]
fn a_change_of_access_is_one_event_up_to_1000_entries() {
    assert_eq!(ENTRIES_PER_EVENT, 1000);
    assert_eq!(sizes(0, 0, 0), []);
    assert_eq!(sizes(1, 0, 0), [(0, 0, 1)]);
    assert_eq!(sizes(1000, 0, 0), [(0, 0, 1000)]);
    assert_eq!(sizes(0, 1000, 0), [(0, 1000, 0)]);
    assert_eq!(sizes(0, 0, 1000), [(1000, 0, 0)]);
    assert_eq!(sizes(300, 300, 400), [(400, 300, 300)]);
}

#[test]
fn more_than_1000_entries_are_split_revocations_first_then_changes_then_grants() {
    assert_eq!(sizes(1001, 0, 0), [(0, 0, 1000), (0, 0, 1)]);
    assert_eq!(sizes(301, 300, 400), [(400, 300, 300), (0, 0, 1)]);
    assert_eq!(sizes(10, 700, 700), [(700, 300, 0), (0, 400, 10)]);
    assert_eq!(
        sizes(1200, 1500, 2500),
        [(1000, 0, 0), (1000, 0, 0), (500, 500, 0), (0, 1000, 0), (0, 0, 1000), (0, 0, 200)]
    );
}

#[test]
fn a_split_change_loses_repeats_and_reorders_nothing() {
    let events = access_changed(IMPORT, APPLICATION, grants(2300), grants(1100), keys(1700));
    let (mut all_granted, mut all_changed, mut all_revoked) = (Vec::new(), Vec::new(), Vec::new());
    for event in events {
        let AccountEvent::AccountAccessChanged { granted, changed, revoked, .. } = event else { panic!("{event:?}") };
        all_granted.extend(granted);
        all_changed.extend(changed);
        all_revoked.extend(revoked);
    }
    assert_eq!(all_granted, grants(2300));
    assert_eq!(all_changed, grants(1100));
    assert_eq!(all_revoked, keys(1700));
}

#[test]
fn a_split_change_of_an_account_ends_in_what_the_feed_said() {
    let held: Vec<GrantEntry> = (0..1500).map(|number| entry(&format!("g{number}"), &[])).collect();
    let given = vec![added("a@x"), access(&held[..1000], &[], &[]), access(&held[1000..], &[], &[])];
    // 700 go, 300 stay as they are, 500 change, 600 come.
    let delivered: BTreeMap<String, Attributes> = (700..2100)
        .map(|number| {
            let attributes: &[_] = if (1000..1500).contains(&number) { &[("limit", "5")] } else { &[] };
            (format!("g{number}"), pairs(attributes))
        })
        .collect();
    let command =
        || AccountCommand::ObserveAccess { import: IMPORT, application_id: APPLICATION, delivered: delivered.clone() };
    let events = TestFramework::<Account>::with(()).given(given.clone()).when(command()).inspect_result().unwrap();
    assert_eq!(events.len(), 2);
    let all = [given, events].concat();
    assert_eq!(account(all.clone()).grants, delivered);
    then(all, command(), vec![]);
}

// Whose it is

#[test]
fn an_account_is_correlated_with_an_identity_once() {
    then(vec![added("a@x")], correlates(Some(by_email(ADA))), vec![correlated(ADA)]);
    then(vec![added("a@x"), correlated(ADA)], correlates(Some(by_email(ADA))), vec![]);
}

#[test]
fn another_rule_that_finds_the_same_identity_changes_nothing() {
    let by_key = Correlation { identity_id: ADA, by: by_fields("identity", "key") };
    then(vec![added("a@x"), correlated(ADA)], correlates(Some(by_key)), vec![]);
}

#[test]
fn an_account_moves_to_another_identity() {
    then(vec![added("a@x"), correlated(ADA)], correlates(Some(by_email(BOB))), vec![correlated(BOB)]);
    then(vec![added("a@x"), correlated(ADA), correlated(BOB)], correlates(Some(by_email(ADA))), vec![correlated(ADA)]);
}

#[test]
fn an_account_whose_owner_is_no_longer_found_is_uncorrelated_once() {
    then(vec![added("a@x")], correlates(None), vec![]);
    then(vec![added("a@x"), correlated(ADA)], correlates(None), vec![uncorrelated()]);
    let nobodys = vec![added("a@x"), correlated(ADA), uncorrelated()];
    then(nobodys.clone(), correlates(None), vec![]);
    then(nobodys, correlates(Some(by_email(ADA))), vec![correlated(ADA)]);
}

#[test]
fn an_account_that_is_removed_and_returns_keeps_its_owner() {
    let back = vec![added("a@x"), correlated(ADA), removed(), changed("a@x")];
    then(back, correlates(Some(by_email(ADA))), vec![]);
}

// By hand

fn assigns(identity_id: Uuid, comment: Option<&str>) -> AccountCommand {
    AccountCommand::Assign { identity_id, comment: comment.map(str::to_owned) }
}

fn assigned(identity_id: Uuid, comment: Option<&str>) -> AccountEvent {
    AccountEvent::AccountAssigned { identity_id, comment: comment.map(str::to_owned) }
}

fn releases(found: Option<Correlation>) -> AccountCommand {
    AccountCommand::Release { found }
}

fn released(correlation: Option<Correlation>) -> AccountEvent {
    AccountEvent::AccountReleased { correlation }
}

#[track_caller]
fn refused(given: Vec<AccountEvent>, when: AccountCommand, refusal: Refusal) {
    TestFramework::<Account>::with(()).given(given).when(when).then_expect_error(refusal);
}

#[test]
fn an_account_is_given_to_somebody_by_hand_once() {
    then(vec![added("a@x")], assigns(ADA, Some("hers")), vec![assigned(ADA, Some("hers"))]);
    then(vec![added("a@x"), assigned(ADA, Some("hers"))], assigns(ADA, Some("hers")), vec![]);
    then(vec![added("a@x"), assigned(ADA, None)], assigns(ADA, None), vec![]);
}

#[test]
fn another_person_or_another_comment_is_another_link() {
    let given = vec![added("a@x"), assigned(ADA, Some("hers"))];
    then(given.clone(), assigns(BOB, Some("hers")), vec![assigned(BOB, Some("hers"))]);
    then(given.clone(), assigns(ADA, Some("still hers")), vec![assigned(ADA, Some("still hers"))]);
    then(given, assigns(ADA, None), vec![assigned(ADA, None)]);
}

#[test]
fn what_the_rules_found_can_be_confirmed_by_hand() {
    then(vec![added("a@x"), correlated(ADA)], assigns(ADA, None), vec![assigned(ADA, None)]);
}

#[test]
fn no_rule_takes_an_account_from_whom_it_was_given_to() {
    let given = vec![added("a@x"), assigned(ADA, None)];
    for found in [Some(by_email(BOB)), Some(by_email(ADA)), None] {
        then(given.clone(), correlates(found), vec![]);
    }
    // Planned before somebody gave it away, appended after.
    for late in [correlated(BOB), uncorrelated()] {
        let given = [given.clone(), vec![late]].concat();
        assert_eq!(account(given.clone()).owner, Some(Owner::Assigned { identity_id: ADA, comment: None }));
        then(given, assigns(ADA, None), vec![]);
    }
}

#[test]
fn a_released_account_belongs_to_whom_the_rules_find() {
    let given = vec![added("a@x"), assigned(ADA, None)];
    then(given.clone(), releases(Some(by_email(BOB))), vec![released(Some(by_email(BOB)))]);
    let found = [given.clone(), vec![released(Some(by_email(BOB)))]].concat();
    then(found.clone(), correlates(Some(by_email(BOB))), vec![]);
    then(found, correlates(None), vec![uncorrelated()]);
    then(given.clone(), releases(None), vec![released(None)]);
    let nobodys = [given, vec![released(None)]].concat();
    then(nobodys.clone(), correlates(None), vec![]);
    then(nobodys, correlates(Some(by_email(ADA))), vec![correlated(ADA)]);
}

#[test]
fn only_what_was_linked_by_hand_is_released() {
    let refusal = || Refusal::Conflict("Nobody linked the account by hand".to_owned());
    for given in [vec![], vec![correlated(ADA)], vec![assigned(ADA, None), released(Some(by_email(ADA)))]] {
        refused([vec![added("a@x")], given].concat(), releases(None), refusal());
    }
}

#[test]
fn an_account_that_is_not_there_is_neither_given_nor_released() {
    let unknown = || Refusal::NotFound("The account doesn't exist".to_owned());
    refused(vec![], assigns(ADA, None), unknown());
    refused(vec![], releases(None), unknown());
    let gone = vec![added("a@x"), assigned(ADA, None), removed()];
    let removed =
        || Refusal::Conflict("The account was removed; its link can change when a feed names it again".to_owned());
    refused(gone.clone(), assigns(BOB, None), removed());
    refused(gone, releases(None), removed());
}

#[test]
fn an_account_that_is_removed_and_returns_is_still_whose_it_was_by_hand() {
    let back = vec![added("a@x"), assigned(ADA, None), removed(), changed("b@x")];
    then(back.clone(), correlates(Some(by_email(BOB))), vec![]);
    then(back, releases(None), vec![released(None)]);
}

#[test]
fn a_comment_has_at_most_4000_characters() {
    then(vec![added("a@x")], assigns(ADA, Some(&"é".repeat(4000))), vec![assigned(ADA, Some(&"é".repeat(4000)))]);
    let refusal = Refusal::field("comment", "Comment has 4001 characters; at most 4000 are allowed");
    refused(vec![added("a@x")], assigns(ADA, Some(&"é".repeat(4001))), refusal);
}

// The correlation rules

fn rule(account: &str, identity: &str) -> CorrelationRule {
    CorrelationRule::fields(account, identity)
}

/// People with `(identity field, folded value, who)`.
fn among<'a>(people: &'a [(&'a str, &'a str, Uuid)]) -> impl Fn(&str, &str) -> Vec<Uuid> + 'a {
    move |field, value| {
        let same = people.iter().filter(|person| (person.0, person.1) == (field, value));
        same.map(|person| person.2).collect()
    }
}

/// No rule of any name finds somebody.
fn nobody(_: &str) -> Vec<Uuid> {
    Vec::new()
}

fn jane() -> AccountRecord {
    AccountRecord {
        name: Some("Jane Doe".to_owned()),
        identity: Some("E-17".to_owned()),
        email: Some("Jane@Acme.Example".to_owned()),
        employee_id: Some("00017".to_owned()),
        r#type: Some("Vendor Login".to_owned()),
        attributes: pairs(&[("badge", "B-9")]),
        ..Default::default()
    }
}

fn owner(rules: &[CorrelationRule], people: &[(&str, &str, Uuid)]) -> Option<Uuid> {
    correlate("JDOE", &jane(), rules, among(people), nobody).map(|found| found.identity_id)
}

#[test]
fn the_first_rule_that_finds_somebody_decides_and_is_named() {
    let people = [("employeeId", "00017", ADA), ("email", "jane@acme.example", BOB)];
    let rules = [rule("employeeId", "employeeId"), rule("email", "email")];
    assert_eq!(
        correlate("JDOE", &jane(), &rules, among(&people), nobody),
        Some(Correlation { identity_id: ADA, by: by_fields("employeeId", "employeeId") })
    );
    let reversed = [rule("email", "email"), rule("employeeId", "employeeId")];
    assert_eq!(owner(&reversed, &people), Some(BOB));
    assert_eq!(owner(&rules, &people[1..]), Some(BOB));
}

#[test]
fn a_rule_that_finds_two_candidates_leaves_the_answer_to_a_later_rule() {
    let people =
        [("email", "jane@acme.example", ADA), ("email", "jane@acme.example", BOB), ("employeeId", "00017", BOB)];
    let rules = [rule("email", "email"), rule("employeeId", "employeeId")];
    assert_eq!(owner(&rules, &people), Some(BOB));
    assert_eq!(owner(&rules, &people[..2]), None);
}

#[test]
fn a_rule_with_a_name_takes_its_turn() {
    let by_name = CorrelationRule::Named { rule: "Mail by name".to_owned() };
    let find = |rules: &[CorrelationRule], found: &[Uuid]| {
        let people = [("email", "jane@acme.example", ADA)];
        let find_named = |name: &str| if name == "Mail by name" { found.to_vec() } else { Vec::new() };
        correlate("JDOE", &jane(), rules, among(&people), find_named)
    };
    let named = Correlation { identity_id: BOB, by: FoundBy::Rule { rule: "Mail by name".to_owned() } };
    let rules = [by_name.clone(), rule("email", "email")];
    assert_eq!(find(&rules, &[BOB]), Some(named.clone()));
    assert_eq!(find(&rules, &[BOB, ADA]), Some(by_email(ADA)));
    assert_eq!(find(&rules, &[]), Some(by_email(ADA)));
    assert_eq!(find(&[rule("email", "email"), by_name], &[BOB]), Some(by_email(ADA)));
    then(
        vec![added("a@x")],
        correlates(Some(named.clone())),
        vec![AccountEvent::AccountCorrelated { import: IMPORT, identity_id: BOB, by: named.by }],
    );
}

#[test]
fn nobody_is_guessed() {
    let people = [("email", "jane@acme.example", ADA)];
    assert_eq!(owner(&[], &people), None);
    assert_eq!(owner(&[rule("email", "employeeId")], &people), None);
    assert_eq!(owner(&[rule("email", "email")], &[]), None);
}

#[test]
fn every_account_field_can_find_an_identity() {
    for (field, folded) in [
        ("key", "jdoe"),
        ("name", "jane doe"),
        ("identity", "e-17"),
        ("email", "jane@acme.example"),
        ("employeeId", "00017"),
        ("type", "vendor login"),
        ("badge", "b-9"),
    ] {
        let rules = [rule(field, "anything")];
        assert_eq!(owner(&rules, &[("anything", folded, ADA)]), Some(ADA), "{field}");
    }
}

#[test]
fn values_are_compared_without_case_and_surrounding_space() {
    let record = record("  JANE@ACME.Example ");
    let asked = RefCell::new(Vec::new());
    let find = |field: &str, value: &str| {
        asked.borrow_mut().push((field.to_owned(), value.to_owned()));
        vec![ADA]
    };
    let found = correlate("k", &record, &[rule("email", "email")], find, nobody);
    assert_eq!(found, Some(by_email(ADA)));
    assert_eq!(asked.into_inner(), [("email".to_owned(), "jane@acme.example".to_owned())]);
}

#[test]
fn an_empty_or_absent_value_finds_nobody_and_a_later_rule_may() {
    let people_without_a_value = |field: &str, value: &str| match (field, value) {
        ("email" | "employeeId" | "badge", _) => vec![ADA],
        ("key", "jdoe") => vec![BOB],
        _ => vec![],
    };
    let rules = [rule("email", "email"), rule("employeeId", "employeeId"), rule("badge", "badge")];
    let blank = AccountRecord { email: Some(String::new()), employee_id: Some(" \t".to_owned()), ..Default::default() };
    assert_eq!(correlate("jdoe", &blank, &rules, people_without_a_value, nobody), None);
    let with_key = [&rules[..], &[rule("key", "key")]].concat();
    let found = correlate("jdoe", &blank, &with_key, people_without_a_value, nobody);
    assert_eq!(found.map(|found| found.identity_id), Some(BOB));
}

// Ids

#[test]
fn the_id_of_an_account_follows_from_application_and_key_and_never_changes() {
    let application = Uuid::parse_str("01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
    let id = |text: &str| Uuid::parse_str(text).unwrap();
    // Computed with Python's uuid.uuid5(application, "account\0" + key). Ids in logs depend on it.
    assert_eq!(ids::account(application, "jdoe"), id("6e7b6ff8-d5d5-58aa-a3aa-8c72855696cc"));
    assert_eq!(ids::account(application, "Zoë\\ACME"), id("52b06fd7-c2de-5137-bd83-e354e8c71f6e"));
    assert_eq!(ids::entitlement(application, "jdoe"), id("05d08c2c-ae24-57de-b235-9983c69e8556"));
}

#[test]
fn accounts_of_other_applications_and_keys_in_another_case_have_other_ids() {
    assert_ne!(ids::account(APPLICATION, "jdoe"), ids::account(APPLICATION, "JDOE"));
    assert_ne!(ids::account(APPLICATION, "jdoe"), ids::account(ADA, "jdoe"));
}
