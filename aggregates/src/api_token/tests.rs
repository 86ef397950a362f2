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

#[test]
fn a_token_is_created_once_and_not_even_again_after_it_was_revoked() {
    for given in [vec![created("HRIS")], vec![created("HRIS"), ApiTokenEvent::ApiTokenRevoked {}]] {
        for name in ["HRIS", "Other", ""] {
            TestFramework::<ApiToken>::with(())
                .given(given.clone())
                .when(create(name))
                .then_expect_error(Refusal::Conflict("The token exists already".to_owned()));
        }
    }
}

#[test]
fn a_token_is_revoked() {
    TestFramework::<ApiToken>::with(())
        .given(vec![created("HRIS")])
        .when(ApiTokenCommand::Revoke)
        .then_expect_events(vec![ApiTokenEvent::ApiTokenRevoked {}]);
}

#[test]
fn a_token_that_does_not_exist_is_not_revoked() {
    TestFramework::<ApiToken>::with(())
        .given_no_previous_events()
        .when(ApiTokenCommand::Revoke)
        .then_expect_error(Refusal::NotFound("The token doesn't exist".to_owned()));
}

#[test]
fn a_name_has_up_to_256_characters_not_bytes() {
    let longest = "é".repeat(256);
    TestFramework::<ApiToken>::with(())
        .given_no_previous_events()
        .when(create(&longest))
        .then_expect_events(vec![created(&longest)]);
    TestFramework::<ApiToken>::with(())
        .given_no_previous_events()
        .when(create(&"é".repeat(257)))
        .then_expect_error(Refusal::field("name", "Name has 257 characters; at most 256 are allowed"));
}

#[test]
fn every_violation_is_named_at_once() {
    let ApiTokenCommand::Create { role, secret_sha256, now, .. } = create("") else { unreachable!() };
    let expires_at = Some(now - chrono::Duration::seconds(1));
    TestFramework::<ApiToken>::with(())
        .given_no_previous_events()
        .when(ApiTokenCommand::Create {
            name: "é".repeat(257),
            role,
            identity_id: None,
            expires_at,
            secret_sha256,
            now,
        })
        .then_expect_error(Refusal::Invalid(vec![
            Violation::new("name", "Name has 257 characters; at most 256 are allowed"),
            Violation::new("expiresAt", "The expiration must lie in the future"),
        ]));
}
