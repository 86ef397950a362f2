use cqrs_es::test::TestFramework;

use super::*;

const ONE: Uuid = Uuid::from_u128(1);
const TWO: Uuid = Uuid::from_u128(2);
const THREE: Uuid = Uuid::from_u128(3);

fn sets(sources: &[(Uuid, Eligibility)]) -> SettingsCommand {
    SettingsCommand::Change(Changes { identity_sources: Some(sources.to_vec()), ..Default::default() })
}

fn orders(ids: &[Uuid]) -> SettingsCommand {
    sets(&ids.iter().map(|id| (*id, Eligibility::IdentitySource)).collect::<Vec<_>>())
}

fn ordered(ids: &[Uuid]) -> SettingsEvent {
    SettingsEvent::IdentitySourcesOrdered { order: ids.to_vec() }
}

#[track_caller]
fn then(given: Vec<SettingsEvent>, when: SettingsCommand, expected: Vec<SettingsEvent>) {
    TestFramework::<Settings>::with(()).given(given).when(when).then_expect_events(expected);
}

#[track_caller]
fn refused(given: Vec<SettingsEvent>, sources: &[(Uuid, Eligibility)], violations: &[(&str, String)]) {
    let violations = violations.iter().map(|(field, message)| Violation::new(*field, message)).collect();
    TestFramework::<Settings>::with(())
        .given(given)
        .when(sets(sources))
        .then_expect_error(Refusal::Invalid(violations));
}

#[test]
fn the_api_is_switched_on_once() {
    then(vec![], SettingsCommand::EnableApi, vec![SettingsEvent::ApiEnabled {}]);
    then(vec![SettingsEvent::ApiEnabled {}], SettingsCommand::EnableApi, vec![]);
}

#[test]
fn the_api_is_switched_off() {
    then(vec![SettingsEvent::ApiEnabled {}], SettingsCommand::DisableApi, vec![SettingsEvent::ApiDisabled {}]);
    then(vec![], SettingsCommand::DisableApi, vec![]);
}

#[test]
fn identity_sources_are_ordered_once() {
    then(vec![], orders(&[TWO, ONE]), vec![ordered(&[TWO, ONE])]);
    then(vec![ordered(&[TWO, ONE])], orders(&[TWO, ONE]), vec![]);
    then(vec![ordered(&[TWO, ONE])], orders(&[ONE, TWO]), vec![ordered(&[ONE, TWO])]);
}

#[test]
fn what_is_not_said_stays() {
    then(vec![ordered(&[TWO])], SettingsCommand::Change(Changes::default()), vec![]);
}

#[test]
fn no_order_is_the_order_of_creation() {
    then(vec![], orders(&[]), vec![]);
    then(vec![ordered(&[TWO])], orders(&[]), vec![ordered(&[])]);
}

#[test]
fn an_order_leaves_the_switch_as_it_is() {
    then(vec![SettingsEvent::ApiEnabled {}, ordered(&[TWO])], SettingsCommand::EnableApi, vec![]);
    then(vec![ordered(&[TWO])], SettingsCommand::DisableApi, vec![]);
    then(vec![ordered(&[TWO]), SettingsEvent::ApiEnabled {}], orders(&[TWO]), vec![]);
}

#[test]
fn only_identity_sources_that_are_in_use_can_be_ordered_and_each_once() {
    refused(
        vec![],
        &[
            (ONE, Eligibility::Unknown),
            (TWO, Eligibility::IdentitySource),
            (THREE, Eligibility::Archived),
            (TWO, Eligibility::IdentitySource),
            (Uuid::nil(), Eligibility::NoIdentitySource),
        ],
        &[
            ("identitySources[0]", format!("Application with id {ONE} not found")),
            ("identitySources[2]", format!("Application {THREE} is archived")),
            ("identitySources[3]", format!("Application {TWO} stands at identitySources[1] already")),
            ("identitySources[4]", format!("Application {} is no identity source", Uuid::nil())),
        ],
    );
}

#[test]
fn a_source_that_was_archived_since_stays_but_is_not_set_anew() {
    let archived = [(ONE, Eligibility::Archived)];
    let given = vec![ordered(&[ONE])];
    then(given.clone(), sets(&archived), vec![]);
    let both = [archived[0], (TWO, Eligibility::IdentitySource)];
    refused(given, &both, &[("identitySources[0]", format!("Application {ONE} is archived"))]);
}

// What personnel events need

fn changes(changes: Changes) -> SettingsCommand {
    SettingsCommand::Change(changes)
}

fn zone(timezone: &str) -> SettingsCommand {
    changes(Changes { timezone: Some(timezone.to_owned()), ..Default::default() })
}

fn zoned(timezone: &str) -> SettingsEvent {
    SettingsEvent::TimezoneSet { timezone: timezone.to_owned() }
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn fields(names: &[&str]) -> SettingsCommand {
    changes(Changes { custom_fields: Some(texts(names)), ..Default::default() })
}

fn enabled(names: &[&str]) -> SettingsEvent {
    SettingsEvent::CustomFieldsEnabled { fields: texts(names) }
}

fn respond(responders: &[(Uuid, Option<&str>)]) -> SettingsCommand {
    let responders = responders.iter().map(|(id, wrong)| (*id, wrong.map(str::to_owned))).collect();
    changes(Changes { default_responders: Some(responders), ..Default::default() })
}

fn responding(responders: &[Uuid]) -> SettingsEvent {
    SettingsEvent::DefaultRespondersSet { responders: responders.to_vec() }
}

#[track_caller]
fn invalid(when: SettingsCommand, violations: &[(&str, &str)]) {
    let violations = violations.iter().map(|(field, message)| Violation::new(*field, *message)).collect();
    TestFramework::<Settings>::with(()).given(vec![]).when(when).then_expect_error(Refusal::Invalid(violations));
}

#[test]
fn a_timezone_is_set_once() {
    then(vec![], zone("Europe/Zurich"), vec![zoned("Europe/Zurich")]);
    then(vec![zoned("Europe/Zurich")], zone("Europe/Zurich"), vec![]);
    then(vec![zoned("Europe/Zurich")], zone("America/New_York"), vec![zoned("America/New_York")]);
}

#[test]
fn the_timezone_is_utc_until_it_is_set() {
    assert_eq!(Settings::default().timezone(), Tz::UTC);
    then(vec![], zone("UTC"), vec![]);
    then(vec![zoned("Europe/Zurich")], zone("UTC"), vec![zoned("UTC")]);
}

#[test]
fn a_timezone_has_a_name_that_the_world_knows() {
    for word in ["Mars/Olympus", "CET+1", "europe/zurich", "+02:00", ""] {
        let message = format!("{word:?} is no IANA timezone (Europe/Zurich)");
        invalid(zone(word), &[("timezone", &message)]);
    }
}

#[test]
fn custom_fields_are_enabled_in_their_order_and_each_once() {
    let all: Vec<String> = (1..=10).map(|number| format!("customField{number}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let shuffled = fields(&["customField10", "customField2", "customField1", "customField2"]);
    then(vec![], shuffled.clone(), vec![enabled(&["customField1", "customField2", "customField10"])]);
    then(vec![enabled(&["customField1", "customField2", "customField10"])], shuffled, vec![]);
    then(vec![enabled(&["customField1"])], fields(&all), vec![enabled(&all)]);
    then(vec![enabled(&all)], fields(&[]), vec![enabled(&[])]);
}

#[test]
fn there_are_ten_custom_fields() {
    let message = |name: &str| format!("{name:?} is none of customField1 to customField10");
    invalid(
        fields(&["customField0", "customField1", "customField11", "CustomField2", "customField01", "badge"]),
        &[
            ("customFields[0]", &message("customField0")),
            ("customFields[2]", &message("customField11")),
            ("customFields[3]", &message("CustomField2")),
            ("customFields[4]", &message("customField01")),
            ("customFields[5]", &message("badge")),
        ],
    );
}

#[test]
fn default_responders_are_set_once() {
    then(vec![], respond(&[(TWO, None), (ONE, None)]), vec![responding(&[TWO, ONE])]);
    then(vec![responding(&[TWO, ONE])], respond(&[(TWO, None), (ONE, None)]), vec![]);
    then(vec![responding(&[TWO, ONE])], respond(&[]), vec![responding(&[])]);
    then(vec![], respond(&[]), vec![]);
}

#[test]
fn who_can_answer_nothing_is_no_responder_and_nobody_is_named_twice() {
    invalid(
        respond(&[(ONE, None), (TWO, Some("Identity 2 has left")), (ONE, None), (TWO, Some("Identity 2 has left"))]),
        &[
            ("defaultResponders[1]", "Identity 2 has left"),
            ("defaultResponders[2]", &format!("Identity {ONE} stands at defaultResponders[0] already")),
            ("defaultResponders[3]", &format!("Identity {TWO} stands at defaultResponders[1] already")),
        ],
    );
}

#[test]
fn a_responder_who_left_since_stays_but_is_not_set_anew() {
    let given = vec![responding(&[ONE])];
    then(given.clone(), respond(&[(ONE, Some("Identity 1 has left"))]), vec![]);
    let violation = Violation::new("defaultResponders[0]", "Identity 1 has left");
    TestFramework::<Settings>::with(())
        .given(given)
        .when(respond(&[(ONE, Some("Identity 1 has left")), (TWO, None)]))
        .then_expect_error(Refusal::Invalid(vec![violation]));
}

#[test]
fn one_wrong_setting_leaves_all_as_they_are_and_each_fault_is_named() {
    let command = changes(Changes {
        identity_sources: Some(vec![(ONE, Eligibility::Archived)]),
        timezone: Some("Mars".to_owned()),
        custom_fields: Some(texts(&["badge", "customField1"])),
        default_responders: Some(vec![(TWO, Some("Identity 2 has left".to_owned()))]),
    });
    invalid(
        command,
        &[
            ("identitySources[0]", &format!("Application {ONE} is archived")),
            ("timezone", "\"Mars\" is no IANA timezone (Europe/Zurich)"),
            ("customFields[0]", "\"badge\" is none of customField1 to customField10"),
            ("defaultResponders[0]", "Identity 2 has left"),
        ],
    );
}

#[test]
fn several_settings_are_set_at_once() {
    let command = changes(Changes {
        identity_sources: Some(vec![(ONE, Eligibility::IdentitySource)]),
        timezone: Some("Asia/Tokyo".to_owned()),
        custom_fields: Some(texts(&["customField3"])),
        default_responders: Some(vec![(TWO, None)]),
    });
    let events = vec![ordered(&[ONE]), zoned("Asia/Tokyo"), enabled(&["customField3"]), responding(&[TWO])];
    then(vec![], command.clone(), events.clone());
    then(events, command, vec![]);
}

#[test]
fn a_signing_key_comes_into_force_once() {
    let rotated = |key_id| SettingsEvent::SigningKeyRotated { key_id };
    then(vec![], SettingsCommand::RotateSigningKey(ONE), vec![rotated(ONE)]);
    then(vec![rotated(ONE)], SettingsCommand::RotateSigningKey(ONE), vec![]);
    then(vec![rotated(ONE)], SettingsCommand::RotateSigningKey(TWO), vec![rotated(TWO)]);
}
