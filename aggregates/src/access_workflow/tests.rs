use cqrs_es::test::TestFramework;

use super::*;
use crate::Stream;

const LEDGER: Uuid = Uuid::from_u128(1);
const CLEO: Uuid = Uuid::from_u128(2);
const RULE: Uuid = Uuid::from_u128(3);
const OTHER: Uuid = Uuid::from_u128(4);

fn quarterly() -> WorkflowDefinition {
    WorkflowDefinition {
        name: "Quarterly".to_owned(),
        description: String::new(),
        notes: String::new(),
        application_ids: vec![LEDGER],
        filter: "source.is_active eq true".to_owned(),
        reviewers: vec![CLEO],
        owner_id: Some(CLEO),
        automation_ids: vec![RULE],
        fallback_reviewers: Vec::new(),
        is_self_review_allowed: false,
    }
}

fn asked(definition: WorkflowDefinition, applications: &[(Uuid, &str)], people: &[(Uuid, &str)]) -> Proposed {
    let all = |wrong: &[(Uuid, &str)]| wrong.iter().map(|(id, message)| (*id, (*message).to_owned())).collect();
    let wrong = Wrong { applications: all(applications), people: all(people) };
    Proposed { definition, wrong, attached: vec![RULE] }
}

fn created() -> Event {
    Event::AccessWorkflowCreated { definition: quarterly() }
}

fn updated(new: WorkflowDefinition) -> Event {
    Event::AccessWorkflowUpdated { old: Box::new(quarterly()), new: Box::new(new) }
}

#[track_caller]
fn then(given: Vec<Event>, when: Command, expected: Vec<Event>) {
    TestFramework::<AccessWorkflow>::with(()).given(given).when(when).then_expect_events(expected);
}

#[track_caller]
fn invalid(given: Vec<Event>, when: Command, violations: &[(&str, &str)]) {
    let violations = violations.iter().map(|(field, message)| Violation::new(*field, *message)).collect();
    TestFramework::<AccessWorkflow>::with(()).given(given).when(when).then_expect_error(Refusal::Invalid(violations));
}

#[test]
fn a_workflow_is_made_changed_and_deleted() {
    then(vec![], Command::Create(asked(quarterly(), &[], &[])), vec![created()]);
    then(vec![created()], Command::Update(asked(quarterly(), &[], &[])), vec![]);
    let renamed = WorkflowDefinition { name: "Yearly".to_owned(), ..quarterly() };
    then(vec![created()], Command::Update(asked(renamed.clone(), &[], &[])), vec![updated(renamed)]);
    then(vec![created()], Command::Delete, vec![Event::AccessWorkflowDeleted {}]);
}

#[test]
fn its_name_is_its_own_until_it_is_deleted() {
    let mut workflow = AccessWorkflow::default();
    cqrs_es::Aggregate::apply(&mut workflow, created());
    assert_eq!(workflow.claims(), ["access-workflow-name:quarterly"]);
    cqrs_es::Aggregate::apply(&mut workflow, Event::AccessWorkflowDeleted {});
    assert!(workflow.claims().is_empty());
}

#[test]
fn a_detached_automation_is_named_no_more() {
    let forgotten = WorkflowDefinition { automation_ids: vec![], ..quarterly() };
    then(vec![created()], Command::Forget(vec![RULE, OTHER]), vec![updated(forgotten)]);
    then(vec![created()], Command::Forget(vec![OTHER]), vec![]);
}

#[test]
fn only_attached_automations_are_named_and_each_once() {
    let named = |ids: &[Uuid]| asked(WorkflowDefinition { automation_ids: ids.to_vec(), ..quarterly() }, &[], &[]);
    invalid(
        vec![],
        Command::Create(named(&[RULE, OTHER, RULE])),
        &[
            ("automation_ids[1]", &format!("Automation {OTHER} isn't attached to the workflow")),
            ("automation_ids[2]", &format!("{RULE} stands at automation_ids[0] already")),
        ],
    );
}

#[test]
fn what_became_wrong_since_may_stay_but_is_not_named_anew() {
    let (archived, left) = ([(LEDGER, "Application 1 is archived")], [(CLEO, "Identity 2 has left")]);
    let described = WorkflowDefinition { description: "Each quarter".to_owned(), ..quarterly() };
    then(vec![created()], Command::Update(asked(described.clone(), &archived, &left)), vec![updated(described)]);
    invalid(
        vec![],
        Command::Create(asked(quarterly(), &archived, &left)),
        &[
            ("application_ids[0]", "Application 1 is archived"),
            ("reviewers[0]", "Identity 2 has left"),
            ("owner", "Identity 2 has left"),
        ],
    );
}

#[test]
fn every_fault_is_named_at_once() {
    let definition = WorkflowDefinition {
        name: " ".to_owned(),
        description: "x".repeat(4001),
        notes: "\0".to_owned(),
        filter: "previous.notes pr".to_owned(),
        ..quarterly()
    };
    invalid(
        vec![],
        Command::Create(asked(definition, &[], &[])),
        &[
            ("name", "Name is required"),
            ("description", "Description has 4001 characters; at most 4000 are allowed"),
            ("notes", "Notes contains a NUL character"),
            (
                "filter",
                "character 1: found previous.notes, expected source, destination or grant: previous.* belongs in \
                 mutable_filter",
            ),
        ],
    );
}

#[test]
fn nothing_is_done_to_what_is_not_there() {
    for given in [vec![], vec![created(), Event::AccessWorkflowDeleted {}]] {
        for command in [Command::Update(asked(quarterly(), &[], &[])), Command::Forget(vec![RULE]), Command::Delete] {
            TestFramework::<AccessWorkflow>::with(())
                .given(given.clone())
                .when(command)
                .then_expect_error(Refusal::NotFound("The workflow doesn't exist".to_owned()));
        }
    }
}
