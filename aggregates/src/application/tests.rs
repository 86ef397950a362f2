use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::Stream;
use crate::account::{AccountRecord, correlate};
use crate::transform::{Named, Unfit};
use crate::violation::Violation;

fn group(content: Content, fields: &[&str]) -> FileGroup {
    FileGroup {
        id: Uuid::from_u128(content as u128 + 1),
        name: format!("{}.csv", content.as_str()),
        content,
        is_required: content == Content::Accounts,
        format: Format::Csv,
        dialect: Dialect::default(),
        columns: fields.iter().map(|field| ((*field).to_owned(), Column::One(field.to_uppercase()))).collect(),
        rules: Vec::new(),
    }
}

/// An application with a required accounts file and an optional grants file.
fn ledger() -> Definition {
    Definition {
        name: "Ledger".to_owned(),
        priority: Priority::High,
        description: None,
        is_identity_source: false,
        removal_limit: 30,
        connector: Connector {
            r#type: ConnectorType::File,
            file_groups: vec![
                group(Content::Accounts, &["key", "email"]),
                group(Content::Grants, &["account", "entitlement"]),
            ],
        },
        correlation: None,
        responders: Vec::new(),
    }
}

fn ledger_with(change: impl FnOnce(&mut Definition)) -> Definition {
    let mut definition = ledger();
    change(&mut definition);
    definition
}

fn named(name: &str) -> Definition {
    ledger_with(|definition| name.clone_into(&mut definition.name))
}

fn first_group(definition: &mut Definition) -> &mut FileGroup {
    &mut definition.connector.file_groups[0]
}

#[track_caller]
fn is_right(change: impl FnOnce(&mut Definition)) {
    assert_eq!(ledger_with(change).violations(), []);
}

#[track_caller]
fn is_wrong(change: impl FnOnce(&mut Definition), expected: &[(&str, &str)]) {
    assert_eq!(ledger_with(change).violations(), violations(expected));
}

fn violations(expected: &[(&str, &str)]) -> Vec<Violation> {
    expected.iter().map(|(field, message)| Violation::new(*field, *message)).collect()
}

fn scheduled(files: &[(Content, &str)]) -> ImportSchedule {
    ImportSchedule {
        cron: "0 2 * * *".to_owned(),
        timezone: "Europe/Berlin".to_owned(),
        is_enabled: true,
        files: files
            .iter()
            .map(|(content, path)| ScheduledFile { file_group_id: group(*content, &[]).id, path: (*path).to_owned() })
            .collect(),
    }
}

fn nightly() -> ImportSchedule {
    scheduled(&[(Content::Accounts, "ledger/accounts.csv")])
}

#[track_caller]
fn path_is_right(path: &str) {
    assert_eq!(scheduled(&[(Content::Accounts, path)]).violations(&ledger()), [], "{path:?}");
}

#[track_caller]
fn path_is_wrong(path: &str, message: &str) {
    assert_eq!(
        scheduled(&[(Content::Accounts, path)]).violations(&ledger()),
        [Violation::new("files[0].path", message)],
        "{path:?}"
    );
}

fn created() -> ApplicationEvent {
    ApplicationEvent::ApplicationCreated { definition: ledger() }
}

fn archived() -> ApplicationEvent {
    ApplicationEvent::ApplicationArchived {}
}

#[track_caller]
fn refused(given: Vec<ApplicationEvent>, when: ApplicationCommand, refusal: Refusal) {
    TestFramework::<Application>::with(()).given(given).when(when).then_expect_error(refusal);
}

#[track_caller]
fn accepted(given: Vec<ApplicationEvent>, when: ApplicationCommand, then: Vec<ApplicationEvent>) {
    TestFramework::<Application>::with(()).given(given).when(when).then_expect_events(then);
}

fn unknown() -> Refusal {
    Refusal::NotFound("The application doesn't exist".to_owned())
}

fn is_archived() -> Refusal {
    Refusal::Conflict("Application is archived".to_owned())
}

// Commands

#[test]
fn an_application_is_created_by_its_definition() {
    accepted(vec![], ApplicationCommand::Create(ledger()), vec![created()]);
}

#[test]
fn an_application_is_not_created_twice_not_even_after_it_was_archived() {
    let exists = Refusal::Conflict("The application exists already".to_owned());
    refused(vec![created()], ApplicationCommand::Create(named("Other")), exists.clone());
    refused(vec![created(), archived()], ApplicationCommand::Create(named("Other")), exists);
}

#[test]
fn an_application_is_not_created_or_updated_against_the_rules() {
    let refusal = Refusal::field("name", "Name is required");
    refused(vec![], ApplicationCommand::Create(named(" ")), refusal.clone());
    refused(vec![created()], ApplicationCommand::Update(named(" ")), refusal);
}

#[test]
fn an_update_replaces_the_definition() {
    let definition = named("General Ledger");
    accepted(
        vec![created()],
        ApplicationCommand::Update(definition.clone()),
        vec![ApplicationEvent::ApplicationUpdated { definition }],
    );
}

#[test]
fn an_update_that_changes_nothing_appends_nothing() {
    accepted(vec![created()], ApplicationCommand::Update(ledger()), vec![]);
    let definition = named("General Ledger");
    let updated = ApplicationEvent::ApplicationUpdated { definition: definition.clone() };
    accepted(vec![created(), updated.clone()], ApplicationCommand::Update(definition), vec![]);
    accepted(
        vec![created(), updated],
        ApplicationCommand::Update(ledger()),
        vec![ApplicationEvent::ApplicationUpdated { definition: ledger() }],
    );
}

#[test]
fn an_application_is_archived_once() {
    accepted(vec![created()], ApplicationCommand::Archive, vec![archived()]);
    refused(vec![created(), archived()], ApplicationCommand::Archive, is_archived());
}

#[test]
fn an_archived_application_takes_no_schedule() {
    refused(vec![created(), archived()], ApplicationCommand::SetImportSchedule(nightly()), is_archived());
}

#[test]
fn an_archived_application_takes_no_update_however_right_or_wrong() {
    for definition in [ledger(), named("General Ledger"), named("")] {
        refused(vec![created(), archived()], ApplicationCommand::Update(definition), is_archived());
    }
}

#[test]
fn an_application_that_does_not_exist_takes_no_command_but_create() {
    refused(vec![], ApplicationCommand::Update(ledger()), unknown());
    refused(vec![], ApplicationCommand::Archive, unknown());
    refused(vec![], ApplicationCommand::SetImportSchedule(nightly()), unknown());
}

#[test]
fn a_schedule_is_set_and_replaced() {
    let set = |schedule| ApplicationEvent::ImportScheduleSet { schedule };
    accepted(vec![created()], ApplicationCommand::SetImportSchedule(nightly()), vec![set(nightly())]);
    let disabled = ImportSchedule { is_enabled: false, ..nightly() };
    accepted(
        vec![created(), set(nightly())],
        ApplicationCommand::SetImportSchedule(disabled.clone()),
        vec![set(disabled)],
    );
}

#[test]
fn the_same_schedule_again_appends_nothing() {
    accepted(
        vec![created(), ApplicationEvent::ImportScheduleSet { schedule: nightly() }],
        ApplicationCommand::SetImportSchedule(nightly()),
        vec![],
    );
}

#[test]
fn a_schedule_is_not_set_against_the_rules() {
    refused(
        vec![created()],
        ApplicationCommand::SetImportSchedule(scheduled(&[(Content::Accounts, "")])),
        Refusal::field("files[0].path", "Path is required"),
    );
}

#[test]
fn a_schedule_is_judged_by_the_definition_in_force() {
    let renumbered = ledger_with(|definition| first_group(definition).id = Uuid::from_u128(99));
    let updated = ApplicationEvent::ApplicationUpdated { definition: renumbered };
    let result = TestFramework::<Application>::with(())
        .given(vec![created(), updated])
        .when(ApplicationCommand::SetImportSchedule(nightly()))
        .inspect_result();
    let Err(Refusal::Invalid(violations)) = result else { panic!("{result:?}") };
    let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["files[0].fileGroupId", "files"]);
}

// The claim of the name

#[test]
fn an_application_claims_its_name_whatever_the_case() {
    let mut application = Application::default();
    assert!(application.claims().is_empty());
    let apply = cqrs_es::Aggregate::apply;
    apply(&mut application, ApplicationEvent::ApplicationCreated { definition: named(" Général LEDGER ") });
    assert_eq!(application.claims(), ["application-name:général ledger"]);
}

#[test]
fn a_renamed_application_gives_its_old_name_back() {
    let mut application = Application::default();
    let apply = cqrs_es::Aggregate::apply;
    apply(&mut application, created());
    assert_eq!(application.claims(), ["application-name:ledger"]);
    apply(&mut application, ApplicationEvent::ApplicationUpdated { definition: named("Books") });
    assert_eq!(application.claims(), ["application-name:books"]);
}

#[test]
fn a_schedule_or_the_archive_does_not_touch_the_name() {
    let mut application = Application::default();
    let apply = cqrs_es::Aggregate::apply;
    apply(&mut application, created());
    apply(&mut application, ApplicationEvent::ImportScheduleSet { schedule: nightly() });
    assert_eq!(application.claims(), ["application-name:ledger"]);
    apply(&mut application, archived());
    assert_eq!(application.claims(), ["application-name:ledger"]);
    assert_eq!(application.schedule, Some(nightly()));
    assert!(application.is_archived);
}

// Definition::violations

#[test]
fn a_right_definition_breaks_no_rule() {
    is_right(|_| {});
    is_right(|definition| {
        definition.is_identity_source = true;
        definition.connector.file_groups.push(group(Content::Identities, &["key", "firstName", "costCenter"]));
        definition.connector.file_groups.push(group(Content::Entitlements, &["key"]));
    });
}

#[test]
fn a_name_has_1_to_256_characters_not_bytes() {
    is_right(|definition| definition.name = "é".repeat(256));
    is_wrong(
        |definition| definition.name = "é".repeat(257),
        &[("name", "Name has 257 characters; at most 256 are allowed")],
    );
    is_wrong(|definition| definition.name = String::new(), &[("name", "Name is required")]);
    is_wrong(|definition| definition.name = " \t".to_owned(), &[("name", "Name is required")]);
    is_wrong(|definition| definition.name = "Led\0ger".to_owned(), &[("name", "Name contains a NUL character")]);
}

#[test]
fn a_description_has_up_to_4000_characters() {
    is_right(|definition| definition.description = Some(String::new()));
    is_right(|definition| definition.description = Some("é".repeat(4000)));
    is_wrong(
        |definition| definition.description = Some("é".repeat(4001)),
        &[("description", "Description has 4001 characters; at most 4000 are allowed")],
    );
    is_wrong(
        |definition| definition.description = Some("\0".to_owned()),
        &[("description", "Description contains a NUL character")],
    );
}

#[test]
fn a_removal_limit_is_a_percentage() {
    is_right(|definition| definition.removal_limit = 0);
    is_right(|definition| definition.removal_limit = 100);
    is_wrong(
        |definition| definition.removal_limit = 101,
        &[("removalLimit", "101 is no percentage; 0 to 100 are allowed")],
    );
}

#[test]
fn a_connector_needs_a_file_group_and_the_identity_source_is_not_blamed_twice() {
    for is_identity_source in [false, true] {
        is_wrong(
            |definition| {
                definition.is_identity_source = is_identity_source;
                definition.connector.file_groups.clear();
            },
            &[("connector.fileGroups", "At least one file group is required")],
        );
    }
}

#[test]
fn a_connector_has_at_most_50_file_groups() {
    let about_the_number = |count: u128| -> Vec<Violation> {
        let many = ledger_with(|definition| {
            definition.connector.file_groups = (0..count)
                .map(|number| FileGroup { id: Uuid::from_u128(number), ..group(Content::Accounts, &["key"]) })
                .collect();
        });
        let all = many.violations().into_iter();
        all.filter(|violation| violation.field == "connector.fileGroups").collect()
    };
    assert_eq!(about_the_number(50), []);
    assert_eq!(about_the_number(51), violations(&[("connector.fileGroups", "51 file groups; at most 50 are allowed")]));
}

#[test]
fn a_file_group_has_a_name_of_1_to_256_characters() {
    is_right(|definition| first_group(definition).name = "é".repeat(256));
    is_wrong(
        |definition| definition.connector.file_groups[1].name = " ".to_owned(),
        &[("connector.fileGroups[1].name", "Name is required")],
    );
    is_wrong(
        |definition| first_group(definition).name = "é".repeat(257),
        &[("connector.fileGroups[0].name", "Name has 257 characters; at most 256 are allowed")],
    );
    is_wrong(
        |definition| first_group(definition).name = "a\0".to_owned(),
        &[("connector.fileGroups[0].name", "Name contains a NUL character")],
    );
}

#[test]
fn no_two_file_groups_have_the_same_id() {
    is_right(|definition| definition.connector.file_groups[1].id = Uuid::from_u128(77));
    is_wrong(
        |definition| {
            for group in &mut definition.connector.file_groups {
                group.id = Uuid::nil();
            }
        },
        &[("connector.fileGroups[1].id", "The id 00000000-0000-0000-0000-000000000000 is used twice")],
    );
}

#[test]
fn no_two_file_groups_deliver_the_same_content() {
    is_wrong(
        |definition| {
            definition
                .connector
                .file_groups
                .push(FileGroup { id: Uuid::from_u128(77), ..group(Content::Accounts, &["key"]) });
        },
        &[("connector.fileGroups[2].content", "Another file group delivers accounts already")],
    );
}

#[test]
fn only_an_identity_source_delivers_identities() {
    let add_identities = |definition: &mut Definition| {
        let identities = group(Content::Identities, &["key"]);
        definition.connector.file_groups.push(identities);
    };
    is_wrong(
        add_identities,
        &[("connector.fileGroups[2].content", "Only an application with isIdentitySource true delivers identities")],
    );
    is_right(|definition| {
        definition.is_identity_source = true;
        add_identities(definition);
    });
}

#[test]
fn an_identity_source_delivers_identities() {
    is_wrong(
        |definition| definition.is_identity_source = true,
        &[("isIdentitySource", "An identity source needs a file group whose content is identities")],
    );
}

#[test]
fn every_file_group_maps_the_fields_that_tell_its_rows_apart() {
    for content in [Content::Identities, Content::Accounts, Content::Entitlements] {
        is_wrong(
            |definition| {
                definition.is_identity_source = content == Content::Identities;
                definition.connector.file_groups = vec![group(content, &["email"])];
            },
            &[("connector.fileGroups[0].columns.key", "key needs a column")],
        );
    }
    is_wrong(
        |definition| definition.connector.file_groups[1].columns.clear(),
        &[
            ("connector.fileGroups[1].columns.account", "account needs a column"),
            ("connector.fileGroups[1].columns.entitlement", "entitlement needs a column"),
        ],
    );
}

#[test]
fn a_file_group_maps_at_most_1000_fields() {
    let map_fields = |count: usize| {
        move |definition: &mut Definition| {
            let columns = &mut first_group(definition).columns;
            for number in columns.len()..count {
                columns.insert(format!("custom{number}"), Column::One("C".to_owned()));
            }
        }
    };
    is_right(map_fields(1000));
    is_wrong(map_fields(1001), &[("connector.fileGroups[0].columns", "1001 fields; at most 1000 are allowed")]);
}

fn map(definition: &mut Definition, field: &str, column: Column) {
    first_group(definition).columns.insert(field.to_owned(), column);
}

fn one(name: &str) -> Column {
    Column::One(name.to_owned())
}

fn joined(names: &[&str], join: &str) -> Column {
    let columns = Some(names.iter().map(|name| (*name).to_owned()).collect());
    Column::Mapped(Mapped { columns, join: Some(join.to_owned()), ..Mapped::default() })
}

#[test]
fn a_field_has_a_name_of_1_to_128_characters() {
    is_right(|definition| map(definition, &"é".repeat(128), one("C")));
    is_wrong(
        |definition| map(definition, &"é".repeat(129), one("C")),
        &[(
            &format!("connector.fileGroups[0].columns.{}", "é".repeat(129)),
            "Field name has 129 characters; at most 128 are allowed",
        )],
    );
    is_wrong(
        |definition| map(definition, " ", one("C")),
        &[("connector.fileGroups[0].columns. ", "A field needs a name")],
    );
    is_wrong(
        |definition| map(definition, "a\0", one("C")),
        &[("connector.fileGroups[0].columns.a\0", "Field name contains a NUL character")],
    );
}

#[test]
fn a_field_is_filled_by_at_least_one_column() {
    is_right(|definition| map(definition, "name", joined(&["First", "Last"], " ")));
    is_wrong(
        |definition| map(definition, "name", joined(&[], " ")),
        &[("connector.fileGroups[0].columns.name", "At least one column is required")],
    );
}

#[test]
fn every_column_has_a_name_of_1_to_256_characters() {
    let at = "connector.fileGroups[0].columns.name";
    let too_long = "é".repeat(257);
    is_right(|definition| map(definition, "name", one(&"é".repeat(256))));
    is_wrong(|definition| map(definition, "name", one(" ")), &[(at, "Column name is required")]);
    is_wrong(
        |definition| map(definition, "name", one(&too_long)),
        &[(at, "Column name has 257 characters; at most 256 are allowed")],
    );
    is_wrong(
        |definition| map(definition, "name", joined(&["First", "", "La\0st"], " ")),
        &[(at, "Column name is required"), (at, "Column name contains a NUL character")],
    );
}

#[test]
fn columns_are_joined_by_up_to_32_characters() {
    let at = "connector.fileGroups[0].columns.name";
    is_right(|definition| map(definition, "name", joined(&["First", "Last"], "")));
    is_right(|definition| map(definition, "name", joined(&["First", "Last"], &"·".repeat(32))));
    is_wrong(
        |definition| map(definition, "name", joined(&["First", "Last"], &"·".repeat(33))),
        &[(at, "join has 33 characters; at most 32 are allowed")],
    );
    is_wrong(
        |definition| map(definition, "name", joined(&["First", "Last"], "\0")),
        &[(at, "join contains a NUL character")],
    );
}

fn rule(account: &str, identity: &str) -> CorrelationRule {
    CorrelationRule::fields(account, identity)
}

#[test]
fn a_correlation_rule_names_a_field_on_both_sides() {
    let correlate = |rules: Vec<CorrelationRule>| |definition: &mut Definition| definition.correlation = Some(rules);
    let long = "é".repeat(128);
    let too_long = "é".repeat(129);
    is_right(correlate(vec![]));
    is_right(correlate(vec![rule(&long, &long)]));
    is_wrong(
        correlate(vec![rule("email", "email"), rule("", " ")]),
        &[
            ("correlation[1].account", "Account field is required"),
            ("correlation[1].identity", "Identity field is required"),
        ],
    );
    is_wrong(
        correlate(vec![rule(&too_long, &too_long)]),
        &[
            ("correlation[0].account", "Account field has 129 characters; at most 128 are allowed"),
            ("correlation[0].identity", "Identity field has 129 characters; at most 128 are allowed"),
        ],
    );
    is_wrong(
        correlate(vec![rule("a\0", "b\0")]),
        &[
            ("correlation[0].account", "Account field contains a NUL character"),
            ("correlation[0].identity", "Identity field contains a NUL character"),
        ],
    );
}

#[test]
fn a_correlation_rule_may_be_one_that_has_a_name() {
    let named = |name: &str| CorrelationRule::Named { rule: name.to_owned() };
    let correlate = |rules: Vec<CorrelationRule>| |definition: &mut Definition| definition.correlation = Some(rules);
    is_right(correlate(vec![named("Mail by name"), rule("email", "email")]));
    is_wrong(
        correlate(vec![named(" "), named(&"n".repeat(513))]),
        &[
            ("correlation[0].rule", "Rule name is required"),
            ("correlation[1].rule", "Rule name has 513 characters; at most 512 are allowed"),
        ],
    );
    for (json, read) in [
        (r#"{"account":"email","identity":"key"}"#, rule("email", "key")),
        (r#"{"rule":"Mail by name"}"#, named("Mail by name")),
    ] {
        let of_json: CorrelationRule = serde_json::from_str(json).unwrap();
        assert_eq!((&of_json, serde_json::to_string(&read).unwrap().as_str()), (&read, json));
    }
    for (json, reason) in [
        ("{}", "either account and identity or rule is needed"),
        (r#"{"account":"email"}"#, "either account and identity or rule is needed"),
        (r#"{"account":"a","identity":"b","rule":"c"}"#, "either account and identity or rule is needed"),
        (r#"{"rules":"c"}"#, "unknown field `rules`, expected one of `account`, `identity`, `rule`"),
        (r#"{"rule":1}"#, "invalid type: integer `1`, expected a string"),
    ] {
        let error = serde_json::from_str::<CorrelationRule>(json).unwrap_err().to_string();
        assert!(error.starts_with(reason), "{json}: {error}");
    }
}

#[test]
fn a_file_group_names_each_rule_once_and_not_too_many() {
    let rules = |names: Vec<String>| |definition: &mut Definition| first_group(definition).rules = names;
    is_right(rules((0..20).map(|number| number.to_string()).collect()));
    let at = |index: usize| format!("connector.fileGroups[0].rules[{index}]");
    is_wrong(
        rules(["a", "", "a"].map(str::to_owned).to_vec()),
        &[(&at(1), "Rule name is required"), (&at(2), "The rule \"a\" is named twice")],
    );
    is_wrong(
        rules((0..21).map(|number| number.to_string()).collect()),
        &[("connector.fileGroups[0].rules", "21 rules; at most 20 are allowed")],
    );
}

#[test]
fn an_account_field_that_tells_nobody_apart_correlates_nothing() {
    let correlate = |rules: Vec<CorrelationRule>| |definition: &mut Definition| definition.correlation = Some(rules);
    let correlating = ["key", "name", "identity", "email", "employeeId", "type", "badge"];
    is_right(correlate(correlating.map(|field| rule(field, "email")).to_vec()));
    is_wrong(
        correlate(vec![rule("isActive", "badge"), rule("email", "email"), rule("lastLoginAt", "updatedDate")]),
        &[
            (
                "correlation[0].account",
                "isActive can't be used; allowed: key, name, identity, email, employeeId, type or a custom attribute",
            ),
            (
                "correlation[2].account",
                "lastLoginAt can't be used; allowed: key, name, identity, email, employeeId, type or a custom attribute",
            ),
            (
                "correlation[2].identity",
                "updatedDate can't be used; allowed: key, email, employeeId, displayName or a custom attribute",
            ),
        ],
    );
}

#[test]
fn every_known_account_field_correlates_or_is_refused() {
    for field in fields::known(Content::Accounts) {
        let definition = ledger_with(|definition| definition.correlation = Some(vec![rule(field, "email")]));
        let record = AccountRecord {
            name: Some("v".to_owned()),
            identity: Some("v".to_owned()),
            email: Some("v".to_owned()),
            employee_id: Some("v".to_owned()),
            r#type: Some("v".to_owned()),
            ..Default::default()
        };
        let found = correlate("v", &record, &definition.correlation(), |_, _| vec![Uuid::nil()], |_| vec![]);
        assert_eq!(found.is_some(), definition.violations().is_empty(), "{field}");
    }
}

#[test]
fn every_broken_rule_is_named_at_once() {
    is_wrong(
        |definition| {
            definition.name = String::new();
            definition.removal_limit = 255;
            first_group(definition).name = String::new();
            definition.correlation = Some(vec![rule("", "email")]);
        },
        &[
            ("name", "Name is required"),
            ("removalLimit", "255 is no percentage; 0 to 100 are allowed"),
            ("connector.fileGroups[0].name", "Name is required"),
            ("correlation[0].account", "Account field is required"),
        ],
    );
}

// What follows from a definition

#[test]
fn accounts_are_correlated_by_employee_id_then_email_unless_said_otherwise() {
    assert_eq!(ledger().correlation(), [rule("employeeId", "employeeId"), rule("email", "email")]);
    let own = vec![rule("login", "displayName")];
    let definition = ledger_with(|definition| definition.correlation = Some(own.clone()));
    assert_eq!(definition.correlation(), own);
    let none = ledger_with(|definition| definition.correlation = Some(vec![]));
    assert_eq!(none.correlation(), []);
}

#[test]
fn accounts_that_name_their_identity_are_correlated_by_that_first() {
    let definition = ledger_with(|definition| map(definition, "identity", one("OWNER")));
    assert_eq!(
        definition.correlation(),
        [rule("identity", "key"), rule("employeeId", "employeeId"), rule("email", "email")]
    );
    let of_grants = ledger_with(|definition| {
        let columns = &mut definition.connector.file_groups[1].columns;
        columns.insert("identity".to_owned(), one("OWNER"));
    });
    assert_eq!(of_grants.correlation(), ledger().correlation());
}

#[test]
fn an_application_delivers_what_its_file_groups_say() {
    let definition = ledger();
    assert!(definition.delivers(Content::Accounts));
    assert!(definition.delivers(Content::Grants));
    assert!(!definition.delivers(Content::Identities));
    assert!(!definition.delivers(Content::Entitlements));
    let names: Vec<&str> = definition.group_of(Content::Grants).map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["grants.csv"]);
}

#[test]
fn a_column_names_what_it_reads() {
    assert_eq!(one("LOGIN").names(), ["LOGIN"]);
    assert_eq!(joined(&["First", "Last"], " ").names(), ["First", "Last"]);
}

#[test]
fn the_fields_that_are_required_are_known_fields() {
    for content in [Content::Identities, Content::Entitlements, Content::Accounts, Content::Grants] {
        let required = fields::required(content);
        assert_eq!(&fields::known(content)[..required.len()], required, "{content:?}");
        assert!(!required.is_empty(), "{content:?}");
    }
    assert_eq!(fields::required(Content::Accounts), ["key"]);
    assert_eq!(fields::required(Content::Grants), ["account", "entitlement"]);
}

#[test]
fn the_words_of_a_content_are_those_of_the_log() {
    for content in [Content::Identities, Content::Entitlements, Content::Accounts, Content::Grants] {
        assert_eq!(serde_json::to_value(content).unwrap(), content.as_str());
    }
}

// ImportSchedule::violations

#[test]
fn a_path_beneath_a_shared_directory_is_right() {
    for path in [
        "accounts.csv",
        "ledger/2026/accounts.csv",
        r"ledger\accounts.csv",
        "./accounts.csv",
        "..accounts/a..b...csv",
        "é:accounts.csv",
        "1:b.csv",
        "_:b.csv",
        ":b.csv",
        "ab:c.csv",
        " accounts.csv",
    ] {
        path_is_right(path);
    }
    path_is_right(&"é".repeat(1024));
}

#[test]
fn a_path_is_required_and_has_up_to_1024_characters() {
    path_is_wrong("", "Path is required");
    path_is_wrong("  ", "Path is required");
    path_is_wrong(&"é".repeat(1025), "Path has 1025 characters; at most 1024 are allowed");
    path_is_wrong("a\0.csv", "Path contains a NUL character");
}

#[test]
fn an_absolute_path_a_drive_and_a_network_share_are_refused() {
    for path in [
        "/etc/passwd",
        "//server/share/a.csv",
        r"\a.csv",
        r"\\server\share\a.csv",
        r"C:\feeds\a.csv",
        "c:/feeds/a.csv",
        "C:a.csv",
        "z:",
    ] {
        path_is_wrong(path, &format!("{path:?} is absolute; paths are relative to a shared directory"));
    }
}

#[test]
fn a_path_does_not_leave_the_shared_directory() {
    for path in ["..", "../a.csv", "a/../../b.csv", "a/..", r"..\a.csv", r"a\..\b.csv"] {
        path_is_wrong(path, &format!("{path:?} leaves the shared directory with \"..\""));
    }
}

#[test]
fn every_wrong_path_is_named_by_its_place() {
    let schedule = scheduled(&[(Content::Accounts, "a.csv"), (Content::Grants, "/g.csv")]);
    assert_eq!(
        schedule.violations(&ledger()),
        violations(&[("files[1].path", "\"/g.csv\" is absolute; paths are relative to a shared directory")])
    );
}

#[test]
fn a_schedule_names_only_file_groups_of_the_connector() {
    let schedule = scheduled(&[(Content::Accounts, "a.csv"), (Content::Identities, "i.csv")]);
    assert_eq!(
        schedule.violations(&ledger()),
        violations(&[(
            "files[1].fileGroupId",
            "The connector has no file group 00000000-0000-0000-0000-000000000001; it has \
             00000000-0000-0000-0000-000000000003 (accounts.csv), 00000000-0000-0000-0000-000000000004 (grants.csv)"
        )])
    );
}

#[test]
fn a_schedule_names_a_file_group_once() {
    let schedule = scheduled(&[(Content::Accounts, "a.csv"), (Content::Accounts, "b.csv")]);
    assert_eq!(
        schedule.violations(&ledger()),
        violations(&[("files[1].fileGroupId", "The file group is named twice")])
    );
}

#[test]
fn a_schedule_has_a_path_for_every_required_file_group() {
    assert_eq!(
        scheduled(&[(Content::Grants, "g.csv")]).violations(&ledger()),
        violations(&[(
            "files",
            "The required file group 00000000-0000-0000-0000-000000000003 (accounts.csv) has no path"
        )])
    );
    assert_eq!(nightly().violations(&ledger()), []);
    let nothing_required = ledger_with(|definition| first_group(definition).is_required = false);
    assert_eq!(scheduled(&[]).violations(&nothing_required), []);
}

#[test]
fn a_dialect_has_ascii_marks_and_not_one_for_both() {
    let with = |delimiter, quote| {
        move |definition: &mut Definition| {
            first_group(definition).dialect =
                Dialect { delimiter, quote, encoding: Some(Encoding::Utf16le), ..Dialect::default() };
        }
    };
    for delimiter in [';', '\t', '|', ' ', ':'] {
        is_right(with(Some(delimiter), None));
        is_right(with(Some(delimiter), Some('\'')));
    }
    let wrong = "connector.fileGroups[0].delimiter";
    is_wrong(with(Some('\n'), None), &[(wrong, "'\\n' can't be the delimiter; a tab or an ASCII mark is allowed")]);
    is_wrong(
        with(Some('\u{e9}'), None),
        &[(wrong, "'\u{e9}' can't be the delimiter; a tab or an ASCII mark is allowed")],
    );
    is_wrong(with(Some('a'), None), &[(wrong, "'a' can't be the delimiter; a tab or an ASCII mark is allowed")]);
    let quote = "connector.fileGroups[0].quote";
    is_wrong(with(None, Some(' ')), &[(quote, "' ' can't be the quote; a tab or an ASCII mark is allowed")]);
    is_wrong(with(Some('"'), None), &[(quote, "'\"' can't be delimiter and quote")]);
}

#[test]
fn what_belongs_to_another_format_is_refused() {
    let with = |format, dialect: Dialect| {
        move |definition: &mut Definition| {
            let group = first_group(definition);
            (group.format, group.dialect) = (format, dialect);
        }
    };
    let sheet = || Dialect { sheet: Some("People".to_owned()), header_row: Some(3), ..Dialect::default() };
    let marks = || Dialect { delimiter: Some(';'), encoding: Some(Encoding::Utf8), ..Dialect::default() };
    is_right(with(Format::Xlsx, sheet()));
    is_right(with(Format::Csv, marks()));
    is_wrong(
        with(Format::Xlsx, marks()),
        &[
            ("connector.fileGroups[0].delimiter", "A file of format xlsx has no delimiter; it belongs to csv"),
            (
                "connector.fileGroups[0].encoding",
                "A file of format xlsx has no encoding; it belongs to csv, json and ndjson",
            ),
        ],
    );
    is_wrong(
        with(Format::Ndjson, sheet()),
        &[
            ("connector.fileGroups[0].sheet", "A file of format ndjson has no sheet; it belongs to xlsx"),
            ("connector.fileGroups[0].headerRow", "A file of format ndjson has no headerRow; it belongs to xlsx"),
        ],
    );
    is_wrong(
        with(Format::Xlsx, Dialect { header_row: Some(0), ..Dialect::default() }),
        &[("connector.fileGroups[0].headerRow", "0 is no row of a sheet; 1 to 1048576 are allowed")],
    );
}

/// A column as a client writes it.
fn written(json: &str) -> Column {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_column_is_written_back_as_it_was_read() {
    for json in [
        r#""Name""#,
        r#"{"columns":["First","Last"],"join":" "}"#,
        r#"{"column":"Date","default":"2026-01-01","transforms":["trim",{"date":"%d.%m.%Y"},"fillDown"]}"#,
        r#"{"transforms":[{"named":"Email lower"}]}"#,
        r#"{"column":"A","transforms":[{"split":";"},{"replace":{"pattern":"x","with":""}},{"map":{"a":"b"}},{"null":["NULL"]}]}"#,
    ] {
        assert_eq!(serde_json::to_string(&written(json)).unwrap(), json);
    }
}

#[test]
fn a_broken_column_says_what_is_wrong() {
    for (json, message) in [
        ("7", "a column name or {column"),
        (r#"{"colum":"A"}"#, "unknown field `colum`"),
        (r#"{"column":"A","transforms":["reverse"]}"#, "unknown variant `reverse`"),
        (r#"{"column":"A","transforms":[{"replace":{"pattern":"x"}}]}"#, "missing field `with`"),
    ] {
        let error = serde_json::from_str::<Column>(json).unwrap_err().to_string();
        assert!(error.contains(message), "{json}: {error}");
    }
}

#[test]
fn a_mapping_that_could_not_work_is_refused_where_it_is_written() {
    let at = "connector.fileGroups[0].columns.name";
    let wrong = |json: &str, place: &str, message: &str| {
        is_wrong(|definition| map(definition, "name", written(json)), &[(&format!("{at}{place}"), message)]);
    };
    is_right(|definition| map(definition, "type", written(r#"{"default":"Employee"}"#)));
    wrong(r#"{"column":"A","columns":["B"]}"#, "", "column and columns exclude each other");
    wrong(r#"{"column":"A","join":"-"}"#, ".join", "join needs columns");
    is_right(|definition| map(definition, "type", written(r#"{"transforms":[{"named":"Email lower"}]}"#)));
    wrong(r#"{"transforms":[{"named":" "}]}"#, ".transforms[0].named", "Transform name is required");
    let long = format!(r#"{{"transforms":[{{"named":"{}"}}]}}"#, "x".repeat(257));
    wrong(&long, ".transforms[0].named", "Transform name has 257 characters; at most 256 are allowed");
    wrong(r#"{"transforms":["trim"]}"#, "", "At least one column is required");
    wrong(
        r#"{"column":"A","transforms":[{"split":";"}]}"#,
        ".transforms[0].split",
        "Several values are several rows; only a field that tells rows apart can be split",
    );
    wrong(
        r#"{"column":"A","transforms":["trim",{"replace":{"pattern":"(a","with":""}}]}"#,
        ".transforms[1].replace.pattern",
        "\"(a\" can't be used: unclosed group",
    );
    wrong(
        r#"{"column":"A","transforms":[{"replace":{"pattern":"((a{500}){500}){500}","with":""}}]}"#,
        ".transforms[0].replace.pattern",
        "\"((a{500}){500}){500}\" can't be used: Compiled regex exceeds size limit of 1048576 bytes.",
    );
    wrong(
        r#"{"column":"A","transforms":[{"date":"%m/%Y"}]}"#,
        ".transforms[0].date",
        "\"%m/%Y\" doesn't tell a day; a form like %d.%m.%Y or %Y%m%dT%H:%M is allowed",
    );
    wrong(r#"{"column":"A","transforms":[{"null":[]}]}"#, ".transforms[0].null", "0 words; 1 to 100 are allowed");
}

#[test]
fn transforms_run_one_after_the_other() {
    let run = |transforms: &str, rows: &[&str]| -> Vec<Vec<String>> {
        let transforms: Vec<Transform> = serde_json::from_str(transforms).unwrap();
        let mut steps = transform::Steps::new(&transforms, &Named::new()).unwrap();
        let values = |row: &&str| if row.is_empty() { vec![] } else { vec![(*row).to_owned()] };
        rows.iter().map(|row| steps.run(values(row), &|_| None).unwrap()).collect()
    };
    assert_eq!(run(r#"["trim","upper"]"#, &["a  b"]), [["A B"]]);
    assert_eq!(run(r#"[{"split":";"},"lower"]"#, &["A; B;;C"]), [["a", "b", "c"]]);
    assert_eq!(
        run(r#"[{"replace":{"pattern":"^CN=([^,]+).*","with":"$1"}}]"#, &["CN=Ann,OU=x", "Bo"]),
        [["Ann"], ["Bo"]]
    );
    assert_eq!(run(r#"[{"map":{"A":"Active","X":""}}]"#, &["A", "X", "?"]), [vec!["Active"], vec![], vec!["?"]]);
    assert_eq!(run(r#"[{"date":"%d.%m.%Y"}]"#, &["31.12.2025", "29.02.2024"]), [["2025-12-31"], ["2024-02-29"]]);
    assert_eq!(run(r#"[{"date":"%Y%m%d %H:%M"}]"#, &["20251231 07:05"]), [["2025-12-31T07:05:00Z"]]);
    assert_eq!(run(r#"[{"date":"%d.%m.%Y %H:%M %z"}]"#, &["31.12.2025 00:30 +0100"]), [["2025-12-30T23:30:00Z"]]);
    assert_eq!(run(r#"["fillDown"]"#, &["", "a", "", "b", ""]), [vec![], vec!["a"], vec!["a"], vec!["b"], vec!["b"]]);
    // A null word in the row above is not filled down, one after it is.
    assert_eq!(run(r#"[{"null":["N/A"]},"fillDown"]"#, &["a", "n/a"]), [["a"], ["a"]]);
    assert_eq!(run(r#"["fillDown",{"null":["N/A"]}]"#, &["a", "n/a", ""]), [vec!["a"], vec![], vec![]]);
}

#[test]
fn a_value_that_a_transform_can_not_take_is_told() {
    let mut date = transform::Steps::new(&[Transform::Date("%d.%m.%Y".to_owned())], &Named::new()).unwrap();
    assert_eq!(date.run(vec!["30.02.2026".to_owned()], &|_| None), Err(Unfit::NotADate("%d.%m.%Y".to_owned())));
    let everywhere = transform::Replace { pattern: String::new(), with: "x".repeat(1000) };
    let mut growing = transform::Steps::new(&[Transform::Replace(everywhere)], &Named::new()).unwrap();
    assert_eq!(growing.run(vec!["a".repeat(100)], &|_| None), Err(Unfit::TooLong(101 * 1000 + 100)));
}

#[test]
fn a_named_transform_runs_among_the_steps_and_makes_a_value_of_none() {
    let document = serde_json::json!({"type": "firstValid", "attributes": {"values": [
        {"type": "upper"}, {"type": "accountAttribute", "attributes": {"attributeName": "mail"}}
    ]}});
    let named = Named::from([("N".to_owned(), crate::transform::Transform::read(&document).unwrap())]);
    let steps = |json: &str| transform::Steps::new(&serde_json::from_str::<Vec<Transform>>(json).unwrap(), &named);
    let row = |name: &str| (name == "mail").then(|| " A@X ".to_owned());
    let mut split = steps(r#"[{"split":";"},{"named":"N"}]"#).unwrap();
    assert_eq!(split.run(vec!["a;b".to_owned()], &row).unwrap(), ["A", "B"]);
    assert_eq!(split.run(vec![], &row).unwrap(), ["A@X"]);
    assert_eq!(steps(r#"[{"named":"N"},"lower"]"#).unwrap().run(vec![], &row).unwrap(), ["a@x"]);
    assert!(split.run(vec![], &|_| None).unwrap().is_empty());
    let unknown = steps(r#"["trim",{"named":"n"}]"#).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no transform \"n\" that can be executed");
}
