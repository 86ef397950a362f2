//! A house with people, their access, and those who answer for it.

use aggregates::api_token::Role;
use serde_json::{Value, json};

use super::client::Client;
use super::server::{TestServer, id};
use super::{Answer, bodies, eventually};

/// Who works here. Ann and Bob are clerks in Sales, Cleo is their head, Dan works in IT.
pub const STAFF: &str = "key,first,last,email,title,department,boss\n\
    e1,Ann,Archer,ann@example.com,Clerk,Sales,e3\n\
    e2,Bob,Baker,bob@example.com,Clerk,Sales,e3\n\
    e3,Cleo,Carter,cleo@example.com,Head,Sales,\n\
    e4,Dan,Dyer,dan@example.com,Admin,IT,e3\n";
/// Log-ins of the ledger; Cleo's holds nothing.
pub const LOGINS: &str =
    "login,mail,active\nann,ann@example.com,yes\nbob,bob@example.com,yes\ncleo,cleo@example.com,yes\n";
/// What they may do there.
pub const RIGHTS: &str = "login,right\nann,book\nann,read\nbob,read\n";

/// A server with an HR feed, a ledger, and two clients: who asks and who answers.
pub struct House {
    pub server: TestServer,
    pub hr: Value,
    pub ledger: Value,
    /// An operator without an identity: the HR system.
    pub asks: Client,
    /// Another administrator.
    pub answers: Client,
}

impl House {
    pub async fn open() -> Self {
        let server = TestServer::start().await;
        let fields = json!({"key": "key", "firstName": "first", "lastName": "last", "email": "email", "title": "title",
                            "department": "department", "supervisor": "boss"});
        let people = json!({"name": "People", "content": "identities", "columns": fields});
        let hr = server.create(bodies::application("HR", &[people])).await;
        let logins = json!({"name": "Logins", "content": "accounts",
                            "columns": {"key": "login", "email": "mail", "isActive": "active"}});
        let rights = json!({"name": "Rights", "content": "grants",
                            "columns": {"account": "login", "entitlement": "right"}});
        let ledger = server.create(bodies::application("Ledger", &[logins, rights])).await;
        let asks = server.client_as("HR system", Role::Operator).await;
        let answers = server.client_as("Security", Role::Administrator).await;
        let house = Self { server, hr, ledger, asks, answers };
        house.staff(STAFF).await;
        house.access(LOGINS, RIGHTS).await;
        house
    }

    /// The HR feed says this now.
    pub async fn staff(&self, csv: &str) -> Value {
        self.imported(&self.hr, &[("identities", csv)]).await
    }

    /// The ledger says this now.
    pub async fn access(&self, logins: &str, rights: &str) -> Value {
        self.imported(&self.ledger, &[("accounts", logins), ("grants", rights)]).await
    }

    async fn imported(&self, application: &Value, files: &[(&str, &str)]) -> Value {
        let import = self.server.import_all(application, files).await;
        assert_eq!(import["status"], "Finished", "{import}");
        import
    }

    /// The id of the person with this first name.
    pub async fn person(&self, first_name: &str) -> String {
        let people = self.server.items("/api/identities").await;
        let found = people.iter().find(|person| person["firstName"] == first_name);
        id(found.unwrap_or_else(|| panic!("nobody is called {first_name}"))).to_owned()
    }

    /// Asks for an event; its detail.
    pub async fn ask(&self, kind: &str, body: Value) -> Value {
        let answer = self.asks.post(&format!("/api/personnel-events/{kind}"), body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json
    }

    /// Approves a stage as another administrator.
    pub async fn approve(&self, event: &Value) -> Value {
        self.step(event, "stages/approval/approve").await
    }

    /// Does something to an event; its detail then.
    pub async fn step(&self, event: &Value, step: &str) -> Value {
        let answer = self.try_step(event, step, json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    }

    pub async fn try_step(&self, event: &Value, step: &str, body: Value) -> Answer {
        self.answers.post(&format!("/api/personnel-events/{}/{step}", id(event)), body).await
    }

    pub async fn event(&self, event: &Value) -> Value {
        self.asks.get(&format!("/api/personnel-events/{}", id(event))).await.json
    }

    /// Waits until an event has this status; its detail.
    pub async fn reached(&self, event: &Value, status: &str) -> Value {
        eventually(&format!("the event is {status}"), async || {
            let detail = self.event(event).await;
            (detail["status"] == status).then_some(detail)
        })
        .await
    }

    /// The access requests that a person has, the newest first.
    pub async fn requests(&self, person: &str) -> Vec<Value> {
        self.server.items(&format!("/api/access-requests?identityId={person}")).await
    }

    /// An access request as it is.
    pub async fn request(&self, request: &Value) -> Value {
        self.asks.get(&format!("/api/access-requests/{}", id(request))).await.json
    }

    /// Does something to an access request as another administrator; its detail then.
    pub async fn carry(&self, request: &Value, step: &str) -> Value {
        let answer = self.answers.post(&format!("/api/access-requests/{}/{step}", id(request)), json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    }

    /// Waits until an access request has this status; its detail.
    pub async fn settled(&self, request: &Value, status: &str) -> Value {
        eventually(&format!("the access request is {status}"), async || {
            let detail = self.request(request).await;
            (detail["status"] == status).then_some(detail)
        })
        .await
    }

    pub async fn close(self) {
        self.server.assert_verified().await;
        self.server.stop().await;
    }
}
