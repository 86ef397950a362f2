//! OAuth clients and their access tokens.

use aggregates::api_client::{ApiClient, ApiClientCommand, Scope};
use aggregates::api_token::Role;
use muniment::signing_keys;
use muniment::tokens::{new_secret, secret_sha256};
use serde_json::Value;
use uuid::Uuid;

use super::client::Client;
use super::server::TestServer;

/// What a client says of itself.
pub struct Credentials {
    pub id: Uuid,
    pub secret: String,
}

impl Credentials {
    /// The parameters of a token request.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", self.id.to_string()),
            ("client_secret", self.secret.clone()),
        ]
    }
}

impl TestServer {
    /// A new OAuth client; the key that signs is there afterwards.
    pub async fn oauth_client(&self, name: &str, role: Role, scopes: &[Scope]) -> Credentials {
        let app = &self.server.app;
        signing_keys::ensure(&app.pool, &app.journal, &*app.clock, Self::context()).await.unwrap();
        let count = projections::api_clients::list(&app.pool).await.unwrap().len();
        // Not from the clock: ids of clients must not shift the ids that snapshots show.
        let credentials = Credentials { id: Uuid::from_u128(0xC000 + count as u128), secret: new_secret().unwrap() };
        let command = ApiClientCommand::Create {
            name: name.to_owned(),
            role,
            scopes: scopes.to_vec(),
            identity_id: None,
            secret_sha256: secret_sha256(&credentials.secret),
        };
        app.journal.create::<ApiClient>(credentials.id, command, Self::context()).await.unwrap();
        credentials
    }

    /// The answer to a token request with these credentials.
    pub async fn access_token(&self, credentials: &Credentials) -> Value {
        let request = self.client.anonymous().request(reqwest::Method::POST, "/oauth/token");
        let answer = self.client.send(request.form(&credentials.parameters())).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    }

    /// A client with the access token of these credentials.
    pub async fn signed_in(&self, credentials: &Credentials) -> Client {
        let answer = self.access_token(credentials).await;
        self.client.with_secret(answer["access_token"].as_str().unwrap())
    }

    /// A client with the access token of a new OAuth client.
    pub async fn client_with_jwt(&self, name: &str, role: Role, scopes: &[Scope]) -> Client {
        let credentials = self.oauth_client(name, role, scopes).await;
        self.signed_in(&credentials).await
    }
}
