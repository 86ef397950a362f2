//! `muniment client`, with a running server.

use super::*;
use crate::support::oauth::Credentials;
use crate::support::process::{Folder, Serving, run, succeed};

/// The access token that a server gives; `None` = it gives none.
async fn token(server: &Serving, credentials: &Credentials) -> Option<String> {
    let client = server.client("");
    let request = client.anonymous().request(Method::POST, "/oauth/token").form(&credentials.parameters());
    let answer = client.send(request).await;
    answer.json["access_token"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn clients_are_made_listed_and_revoked_and_the_key_is_rotated() {
    let folder = Folder::new();
    let place = folder.place();
    let arguments =
        ["--name", "Deployment", "--role", "administrator", "--scope", "sp:config:read", "--scope", "sp:scopes:all"];
    let made = succeed(&["client", "create"], &place, &arguments).await;
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made.as_object().unwrap().len(), 2);
    let credentials = Credentials {
        id: made["client_id"].as_str().unwrap().parse().unwrap(),
        secret: made["client_secret"].as_str().unwrap().to_owned(),
    };
    for (arguments, words) in [
        (vec!["--name", "DEPLOYMENT"], "another client has the name"),
        (vec!["--name", " "], "Name is required"),
        (vec!["--name", "n", "--scope", "all"], "allowed: sp:config:read, sp:config:manage, sp:scopes:all"),
        (vec!["--name", "n", "--identity", "018f0000-0000-7000-8000-00000000dead"], "no identity has the id"),
    ] {
        let refused = run(&["client", "create"], &place, &arguments).await;
        assert!(!refused.success && refused.errors.contains(words), "{refused:?}");
    }

    let server = Serving::start(&place).await;
    let first = token(&server, &credentials).await.unwrap();
    assert_eq!(status(&server.client(&first)).await, 200);
    let list = succeed(&["client", "list"], &place, &[]).await;
    assert!(list.contains("Deployment") && list.contains("sp:config:read"), "{list}");
    assert!(!list.contains(&credentials.secret), "{list}");

    let rotated = succeed(&["client", "rotate-key"], &place, &[]).await;
    assert!(rotated.starts_with("access tokens are signed with the key "), "{rotated}");
    // When the command has ended, every server has heard of it.
    assert_eq!(status(&server.client(&first)).await, 401);
    let second = token(&server, &credentials).await.unwrap();
    assert_eq!(status(&server.client(&second)).await, 200);

    assert_eq!(succeed(&["client", "revoke", "deployment"], &place, &[]).await, "Deployment is revoked");
    assert_eq!(status(&server.client(&second)).await, 401);
    assert_eq!(token(&server, &credentials).await, None);
    let again = run(&["client", "revoke", "Deployment"], &place, &[]).await;
    assert!(!again.success && again.errors.contains("no client"), "{again:?}");
    assert!(server.terminate().await.0);
}
