use cqrs_es::test::TestFramework;

use super::*;

fn create(name: &str) -> ApiTokenCommand {
    ApiTokenCommand::Create {
        name: name.to_owned(),
        role: Role::Operator,
        identity_id: None,
        expires_at: None,
        secret_sha256: "00".repeat(32),
        now: DateTime::UNIX_EPOCH,
    }
}

fn created(name: &str) -> ApiTokenEvent {
    ApiTokenEvent::ApiTokenCreated {
        name: name.to_owned(),
        role: Role::Operator,
        identity_id: None,
        expires_at: None,
        secret_sha256: "00".repeat(32),
    }
}

#[test]
fn a_token_is_created_with_a_name() {
    TestFramework::<ApiToken>::with(())
        .given_no_previous_events()
        .when(create("HRIS"))
        .then_expect_events(vec![created("HRIS")]);
}

#[test]
fn a_token_needs_a_name() {
    TestFramework::<ApiToken>::with(())
        .given_no_previous_events()
        .when(create(" "))
        .then_expect_error(Refusal::field("name", "Name is required"));
}

#[test]
fn a_token_cannot_be_born_expired() {
    let ApiTokenCommand::Create { name, role, secret_sha256, now, .. } = create("late") else { unreachable!() };
    TestFramework::<ApiToken>::with(())
        .given_no_previous_events()
        .when(ApiTokenCommand::Create { name, role, identity_id: None, expires_at: Some(now), secret_sha256, now })
        .then_expect_error(Refusal::field("expiresAt", "The expiration must lie in the future"));
}

#[test]
fn a_revoked_token_is_not_revoked_twice_and_gives_its_name_back() {
    TestFramework::<ApiToken>::with(())
        .given(vec![created("HRIS"), ApiTokenEvent::ApiTokenRevoked {}])
        .when(ApiTokenCommand::Revoke)
        .then_expect_error(Refusal::Conflict("The token \"HRIS\" is revoked already".to_owned()));
    let mut token = ApiToken::default();
    cqrs_es::Aggregate::apply(&mut token, created("HRIS"));
    assert_eq!(crate::Stream::claims(&token), ["api-token-name:hris"]);
    cqrs_es::Aggregate::apply(&mut token, ApiTokenEvent::ApiTokenRevoked {});
    assert!(crate::Stream::claims(&token).is_empty());
}
