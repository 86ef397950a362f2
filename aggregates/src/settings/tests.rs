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
