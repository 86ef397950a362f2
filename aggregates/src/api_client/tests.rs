use cqrs_es::test::TestFramework;

use super::*;

fn create(name: &str, scopes: &[Scope]) -> ApiClientCommand {
    ApiClientCommand::Create {
        name: name.to_owned(),
        role: Role::Operator,
        scopes: scopes.to_vec(),
        identity_id: None,
        secret_sha256: "00".repeat(32),
    }
}

fn created(name: &str, scopes: &[Scope]) -> ApiClientEvent {
    ApiClientEvent::ApiClientCreated {
        name: name.to_owned(),
        role: Role::Operator,
        scopes: scopes.to_vec(),
        identity_id: None,
        secret_sha256: "00".repeat(32),
    }
}

#[test]
fn a_client_is_created_with_its_scopes_in_order_and_each_once() {
    TestFramework::<ApiClient>::with(())
        .given_no_previous_events()
        .when(create("Deployment", &[Scope::ConfigManage, Scope::ConfigRead, Scope::ConfigManage]))
        .then_expect_events(vec![created("Deployment", &[Scope::ConfigRead, Scope::ConfigManage])]);
}

#[test]
fn a_client_needs_a_name_and_a_scope() {
    TestFramework::<ApiClient>::with(()).given_no_previous_events().when(create(" ", &[])).then_expect_error(
        Refusal::Invalid(vec![
            Violation::new("name", "Name is required"),
            Violation::new("scopes", "At least one scope is required"),
        ]),
    );
}

#[test]
fn a_client_is_created_once_and_not_even_again_after_it_was_revoked() {
    let made = created("Deployment", &[Scope::All]);
    for given in [vec![made.clone()], vec![made, ApiClientEvent::ApiClientRevoked {}]] {
        TestFramework::<ApiClient>::with(())
            .given(given)
            .when(create("Other", &[Scope::All]))
            .then_expect_error(Refusal::Conflict("The client exists already".to_owned()));
    }
}

#[test]
fn a_client_is_revoked_once() {
    let made = created("Deployment", &[Scope::All]);
    TestFramework::<ApiClient>::with(())
        .given(vec![made.clone()])
        .when(ApiClientCommand::Revoke)
        .then_expect_events(vec![ApiClientEvent::ApiClientRevoked {}]);
    TestFramework::<ApiClient>::with(())
        .given(vec![made, ApiClientEvent::ApiClientRevoked {}])
        .when(ApiClientCommand::Revoke)
        .then_expect_error(Refusal::Conflict("The client \"Deployment\" is revoked already".to_owned()));
}

#[test]
fn a_client_that_does_not_exist_is_not_revoked() {
    TestFramework::<ApiClient>::with(())
        .given_no_previous_events()
        .when(ApiClientCommand::Revoke)
        .then_expect_error(Refusal::NotFound("The client doesn't exist".to_owned()));
}

#[test]
fn a_name_is_claimed_until_the_client_is_revoked() {
    let mut client = ApiClient::default();
    cqrs_es::Aggregate::apply(&mut client, created("Deployment", &[Scope::All]));
    assert_eq!(crate::Stream::claims(&client), ["api-client-name:deployment"]);
    cqrs_es::Aggregate::apply(&mut client, ApiClientEvent::ApiClientRevoked {});
    assert!(crate::Stream::claims(&client).is_empty());
}

#[test]
fn a_scope_is_read_by_its_word() {
    for scope in Scope::ALL {
        assert_eq!(scope.as_str().parse(), Ok(scope));
    }
    let known = "sp:config:read, sp:config:manage, sp:scopes:all";
    assert_eq!("all".parse::<Scope>(), Err(format!("unknown scope \"all\"; allowed: {known}")));
}
