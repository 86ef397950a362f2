use cqrs_es::test::TestFramework;

use super::*;
use crate::Stream;
use crate::certification_row::{Decision, SignedOffState};
use crate::violation::Violation;

const MONDAY: Uuid = Uuid::from_u128(1);
const TUESDAY: Uuid = Uuid::from_u128(2);

fn rejects_a() -> AutomationDefinition {
    AutomationDefinition {
        name: "Reject A".to_owned(),
        description: String::new(),
        priority: 0,
        attach_to_new_workflows: false,
        opt_in: false,
        filter: r#"source.name sw "A""#.to_owned(),
        mutable_filter: String::new(),
        action: Action {
            decision: Decision::Rejected,
            signed_off_state: SignedOffState::Unknown,
            notes: String::new(),
        },
    }
}

fn everywhere() -> AutomationDefinition {
    AutomationDefinition { attach_to_new_workflows: true, ..rejects_a() }
}

fn created(definition: AutomationDefinition) -> Event {
    Event::AutomationCreated { definition }
}

fn updated(old: AutomationDefinition, new: AutomationDefinition) -> Event {
    Event::AutomationUpdated { old, new }
}

fn attached(workflow_id: Uuid, opt_in: bool) -> Event {
    Event::AutomationAttached { workflow_id, opt_in }
}

fn detached(workflow_id: Uuid) -> Event {
    Event::AutomationDetached { workflow_id }
}

fn create(definition: AutomationDefinition) -> Command {
    Command::Create { definition, workflows: vec![MONDAY, TUESDAY] }
}

fn update(definition: AutomationDefinition) -> Command {
    Command::Update { definition, workflows: vec![MONDAY, TUESDAY] }
}

fn attach(workflows: &[Uuid], opt_in: Option<bool>) -> Command {
    Command::Attach { workflows: workflows.to_vec(), opt_in }
}

fn detach(workflows: &[Uuid]) -> Command {
    Command::Detach { workflows: workflows.to_vec() }
}

#[track_caller]
fn then(given: Vec<Event>, when: Command, expected: Vec<Event>) {
    TestFramework::<Automation>::with(()).given(given).when(when).then_expect_events(expected);
}

#[track_caller]
fn refused(given: Vec<Event>, when: Command, expected: Refusal) {
    TestFramework::<Automation>::with(()).given(given).when(when).then_expect_error(expected);
}

/// Fields of what is wrong with a definition.
fn wrong(change: impl FnOnce(&mut AutomationDefinition)) -> Vec<String> {
    let mut definition = rejects_a();
    change(&mut definition);
    definition.violations().into_iter().map(|violation| violation.field).collect()
}

#[test]
fn an_automation_for_new_workflows_is_attached_to_every_existing_one_with_its_own_opt_in() {
    then(vec![], create(rejects_a()), vec![created(rejects_a())]);
    let optional = AutomationDefinition { opt_in: true, ..everywhere() };
    let events = vec![created(optional.clone()), attached(MONDAY, true), attached(TUESDAY, true)];
    then(vec![], create(optional), events);
}

#[test]
fn turning_it_on_attaches_everywhere_and_turning_it_off_detaches_nothing() {
    let given = vec![created(rejects_a()), attached(MONDAY, true)];
    then(given, update(everywhere()), vec![updated(rejects_a(), everywhere()), attached(TUESDAY, false)]);
    let given = vec![created(everywhere()), attached(MONDAY, false)];
    then(given, update(rejects_a()), vec![updated(everywhere(), rejects_a())]);
}

#[test]
fn a_deliberate_detach_stays_when_the_automation_changes() {
    let given = vec![created(everywhere()), attached(MONDAY, false), detached(MONDAY)];
    let renamed = AutomationDefinition { name: "Reject all A".to_owned(), ..everywhere() };
    then(given, update(renamed.clone()), vec![updated(everywhere(), renamed)]);
}

#[test]
fn the_same_again_is_no_event() {
    then(vec![created(everywhere())], update(everywhere()), vec![]);
}

#[test]
fn an_attachment_says_by_itself_whether_it_is_optional() {
    let given = vec![created(rejects_a())];
    then(given.clone(), attach(&[MONDAY], None), vec![attached(MONDAY, false)]);
    then(given.clone(), attach(&[MONDAY], Some(true)), vec![attached(MONDAY, true)]);
    let optional = AutomationDefinition { opt_in: true, ..rejects_a() };
    then(vec![created(optional)], attach(&[MONDAY], None), vec![attached(MONDAY, true)]);
    // What the automation says later is another attachment's.
    let optional = AutomationDefinition { opt_in: true, ..rejects_a() };
    let given = [given, vec![attached(MONDAY, false)]].concat();
    then(given, update(optional.clone()), vec![updated(rejects_a(), optional)]);
}

#[test]
fn attaching_again_updates_opt_in_and_nothing_else() {
    let given = vec![created(rejects_a()), attached(MONDAY, false)];
    then(given.clone(), attach(&[MONDAY], Some(false)), vec![]);
    then(given.clone(), attach(&[MONDAY], Some(true)), vec![attached(MONDAY, true)]);
    then(given, attach(&[MONDAY, TUESDAY], Some(false)), vec![attached(TUESDAY, false)]);
}

#[test]
fn detaching_what_is_not_attached_is_no_event() {
    let given = vec![created(rejects_a()), attached(MONDAY, false)];
    then(given.clone(), detach(&[TUESDAY]), vec![]);
    then(given, detach(&[MONDAY, TUESDAY]), vec![detached(MONDAY)]);
}

#[test]
fn deleting_detaches_everywhere_and_frees_the_name() {
    let given = vec![created(rejects_a()), attached(MONDAY, false), attached(TUESDAY, true)];
    let end = vec![detached(MONDAY), detached(TUESDAY), Event::AutomationDeleted {}];
    then(given.clone(), Command::Delete, end.clone());
    let mut automation = Automation::default();
    for event in given.into_iter().chain(end) {
        let claims = automation.claims();
        assert!(claims.is_empty() || claims == ["automation-name:reject a"], "{claims:?}");
        cqrs_es::Aggregate::apply(&mut automation, event);
    }
    assert_eq!((automation.claims(), automation.attachments.len()), (vec![], 0));
}

#[test]
fn nothing_is_done_to_what_is_not_there() {
    let gone = || Refusal::NotFound("The automation doesn't exist".to_owned());
    for given in [vec![], vec![created(rejects_a()), Event::AutomationDeleted {}]] {
        for command in [update(rejects_a()), attach(&[MONDAY], None), detach(&[MONDAY]), Command::Delete] {
            refused(given.clone(), command, gone());
        }
    }
    let exists = Refusal::Conflict("The automation exists already".to_owned());
    refused(vec![created(rejects_a())], create(rejects_a()), exists);
}

#[test]
fn both_filters_empty_mean_no_rows_and_are_refused() {
    assert_eq!(wrong(|one| one.filter = " ".to_owned()), ["criteria"]);
    assert_eq!(wrong(|one| one.mutable_filter = "previous.notes pr".to_owned()), Vec::<String>::new());
    let only_before = |one: &mut AutomationDefinition| {
        one.filter.clear();
        one.mutable_filter = "previous.notes pr".to_owned();
    };
    assert_eq!(wrong(only_before), Vec::<String>::new());
}

#[test]
fn an_action_that_changes_nothing_is_refused() {
    let action = |decision, signed_off_state, notes: &str| {
        wrong(|one| one.action = Action { decision, signed_off_state, notes: notes.to_owned() })
    };
    let (unknown, unsaid) = (Decision::Unknown, SignedOffState::Unknown);
    assert_eq!(action(unknown, unsaid, ""), ["action"]);
    for decision in [Decision::None, Decision::Accepted, Decision::Rejected, Decision::Fixed] {
        assert_eq!(action(decision, unsaid, ""), Vec::<String>::new());
    }
    for state in [SignedOffState::NotSignedOff, SignedOffState::SignedOff] {
        assert_eq!(action(unknown, state, ""), Vec::<String>::new());
    }
    assert_eq!(action(unknown, unsaid, "Seen"), Vec::<String>::new());
}

#[test]
fn every_fault_is_named_at_once() {
    let fields = wrong(|one| {
        one.name.clear();
        one.description = "x".repeat(4001);
        one.filter = "source.nam pr".to_owned();
        one.mutable_filter = "source.name pr".to_owned();
        one.action.notes = "\0".to_owned();
    });
    assert_eq!(fields, ["name", "description", "action.notes", "criteria.filter", "criteria.mutable_filter"]);
    let message = "character 1: found source.nam, expected an attribute; the nearest is source.name";
    let definition = AutomationDefinition { filter: "source.nam pr".to_owned(), ..rejects_a() };
    let violation = Violation::new("criteria.filter", message);
    refused(vec![], create(definition), Refusal::Invalid(vec![violation]));
}
