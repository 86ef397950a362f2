//! The OpenAPI document: it is the one checked in, every operation of it but a few asks for a token, and none falls over.

use std::collections::BTreeMap;

use aggregates::api_token::Role;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngSeed, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bodies::{GRANTS, PEOPLE, directory, grants_only};
use crate::support::reviews::certified;
use crate::support::{Client, TestServer, file_group, id};

/// Who may, at least. A new operation is added here by hand: that is the moment to think about it.
const LEAST: &[(&str, Role)] = &[
    ("listApplications", Role::Reader),
    ("createApplication", Role::Operator),
    ("getApplication", Role::Reader),
    ("updateApplication", Role::Operator),
    ("archiveApplication", Role::Operator),
    ("setImportSchedule", Role::Operator),
    ("listAccounts", Role::Reader),
    ("listEntitlements", Role::Reader),
    ("listGrants", Role::Reader),
    ("listApplicationImports", Role::Reader),
    ("listImportChanges", Role::Reader),
    ("getApplicationImport", Role::Reader),
    ("listImportIssues", Role::Reader),
    ("downloadRejects", Role::Reader),
    ("stageApplicationImport", Role::Operator),
    ("uploadApplicationImport", Role::Operator),
    ("cancelApplicationImport", Role::Operator),
    ("listIdentities", Role::Reader),
    ("getIdentitySchema", Role::Reader),
    ("getIdentity", Role::Reader),
    ("getIdentityAccess", Role::Reader),
    ("getAccount", Role::Reader),
    ("assignAccount", Role::Operator),
    ("releaseAccount", Role::Operator),
    ("listPersonnelEvents", Role::Reader),
    ("createOnboard", Role::Operator),
    ("createOffboard", Role::Operator),
    ("createRoleTransition", Role::Operator),
    ("createLeaveOfAbsence", Role::Operator),
    ("getPersonnelEvent", Role::Reader),
    ("approvePersonnelStage", Role::Operator),
    ("rejectPersonnelStage", Role::Operator),
    ("completePersonnelStage", Role::Operator),
    ("resetPersonnelStage", Role::Operator),
    ("assignPersonnelEvent", Role::Operator),
    ("commentPersonnelEvent", Role::Operator),
    ("reschedulePersonnelEvent", Role::Operator),
    ("cancelPersonnelEvent", Role::Operator),
    ("listAccessRequests", Role::Reader),
    ("createAccessRequest", Role::Operator),
    ("getAccessRequest", Role::Reader),
    ("approveAccessRequest", Role::Operator),
    ("rejectAccessRequest", Role::Operator),
    ("resetAccessRequest", Role::Operator),
    ("provisionAccessRequest", Role::Operator),
    ("failAccessRequest", Role::Operator),
    ("verifyAccessRequest", Role::Operator),
    ("assignAccessRequest", Role::Operator),
    ("commentAccessRequest", Role::Operator),
    ("cancelAccessRequest", Role::Operator),
    ("listWorkflows", Role::Reader),
    ("createWorkflow", Role::Operator),
    ("getWorkflow", Role::Reader),
    ("updateWorkflow", Role::Operator),
    ("deleteWorkflow", Role::Operator),
    ("listAutomations", Role::Auditor),
    ("createAutomation", Role::Administrator),
    ("updateAutomation", Role::Administrator),
    ("getAutomation", Role::Auditor),
    ("deleteAutomation", Role::Administrator),
    ("attachAutomations", Role::Administrator),
    ("listAttachedAutomations", Role::Auditor),
    ("detachAutomations", Role::Administrator),
    ("previewAutomation", Role::Auditor),
    ("listCertifications", Role::Reader),
    ("createCertification", Role::Operator),
    ("getCertification", Role::Reader),
    ("completeCertification", Role::Operator),
    ("listResults", Role::Reader),
    ("getResult", Role::Reader),
    ("updateResult", Role::Operator),
    ("forceUpdateResult", Role::Administrator),
    ("decideResults", Role::Operator),
    ("listAutomationRuns", Role::Auditor),
    ("getAutomationRun", Role::Auditor),
    ("undoAutomationRun", Role::Operator),
    ("exportSpConfig", Role::Auditor),
    ("getSpConfigExportStatus", Role::Auditor),
    ("getSpConfigExport", Role::Auditor),
    ("importSpConfig", Role::Administrator),
    ("getSpConfigImportStatus", Role::Administrator),
    ("getSpConfigImport", Role::Administrator),
    ("listSpConfigObjects", Role::Auditor),
    ("getConfigImportDiff", Role::Auditor),
    ("restoreConfigImport", Role::Administrator),
    ("cancelConfigImport", Role::Administrator),
    ("listWebhooks", Role::Auditor),
    ("listWebhookDeliveries", Role::Auditor),
    ("listProviderTemplates", Role::Reader),
    ("listEvents", Role::Auditor),
    ("listTokens", Role::Auditor),
    ("createToken", Role::Administrator),
    ("revokeToken", Role::Administrator),
    ("getSettings", Role::Reader),
    ("updateSettings", Role::Administrator),
];

/// Operations that ask for no token: they are where one comes from.
const OPEN: &[&str] = &["createAccessToken", "getOAuthInfo"];

/// Operations whose body says what they act on, which may not be there.
const IDS_IN_BODY: &[&str] = &["updateAutomation", "attachAutomations", "detachAutomations", "createCertification"];

/// An operation of the document.
struct Operation {
    id: String,
    method: Method,
    path: String,
    document: Value,
}

impl Operation {
    /// Its path with this id.
    fn at(&self, id: &str) -> String {
        self.path.replace("{id}", id).replace("{stage}", "approval").replace("{result_id}", "0")
    }

    fn is_open(&self) -> bool {
        OPEN.contains(&self.id.as_str())
    }

    /// Its errors are Veza's (contracts §3.6).
    fn speaks_veza(&self) -> bool {
        self.path.starts_with("/api/preview/awf") || self.path.starts_with("/api/v1/providers")
    }

    /// Its errors are SailPoint's (contracts §2.3).
    fn speaks_sailpoint(&self) -> bool {
        self.path.starts_with("/sp-config")
    }

    fn takes(&self, kind: &str) -> bool {
        self.document["requestBody"]["content"].get(kind).is_some()
    }
}

fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(muniment::http::document()).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                document: operation.clone(),
            });
        }
    }
    operations
}

#[test]
fn the_document_checked_in_is_that_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    let of_the_code = muniment::http::document().to_pretty_json().unwrap() + "\n";
    assert!(
        checked_in == of_the_code,
        "docs/openapi.json is out of date; renew it with\n\n    cargo run -- openapi > docs/openapi.json\n"
    );
}

#[tokio::test]
async fn the_server_serves_the_document_to_everybody() {
    let server = TestServer::start().await;
    let served = server.client.anonymous().get("/api/openapi.json").await;
    assert_eq!(served.json, serde_json::to_value(muniment::http::document()).unwrap());
    assert!(served.json["openapi"].as_str().unwrap().starts_with("3.1"));
    let docs = server.client.anonymous().get("/docs/").await;
    assert!(docs.status == 200 && docs.text.contains("swagger"), "{}", docs.text);
    // Nothing is fetched from elsewhere.
    assert!(!docs.text.contains("//cdn") && !docs.text.contains("https://"), "{}", docs.text);
    server.stop().await;
}

#[test]
fn every_operation_says_who_may_and_how_it_fails() {
    let known: BTreeMap<&str, Role> = LEAST.iter().copied().collect();
    assert_eq!(known.len(), LEAST.len(), "an operation is listed twice");
    let operations = operations();
    let (open, operations): (Vec<_>, Vec<_>) = operations.into_iter().partition(Operation::is_open);
    assert_eq!(open.len(), OPEN.len(), "not in the document: one of {OPEN:?}");
    assert!(open.iter().all(|operation| operation.document.get("security").is_none()));
    for operation in &operations {
        let name = &operation.id;
        let role = known.get(name.as_str());
        let role = role.unwrap_or_else(|| panic!("{name} has no authorization case; add it to LEAST"));
        assert_eq!(operation.document["security"], json!([{"token": []}]), "{name} asks for no token");
        let responses = operation.document["responses"].as_object().unwrap();
        assert!(responses.contains_key("401"), "{name} doesn't say 401");
        assert_eq!(responses.contains_key("403"), *role != Role::Reader, "{name}: 403");
        let acts_on_one = operation.path.contains("{id}") || IDS_IN_BODY.contains(&name.as_str());
        assert_eq!(responses.contains_key("404"), acts_on_one, "{name}: 404");
    }
    let gone: Vec<&&str> =
        known.keys().filter(|name| !operations.iter().any(|operation| operation.id == **name)).collect();
    assert!(gone.is_empty(), "not in the document: {gone:?}");
}

#[tokio::test]
async fn every_operation_asks_for_a_token_and_for_its_role() {
    let server = TestServer::start().await;
    let mut clients = BTreeMap::new();
    for role in Role::ALL {
        clients.insert(role.as_str(), server.client_as(role.as_str(), role).await);
    }
    let head = server.head().await;
    let stranger = server.client.with_secret(muniment::tokens::new_secret().unwrap());
    let anonymous = server.client.anonymous();
    for operation in operations().into_iter().filter(|operation| !operation.is_open()) {
        let path = operation.at("018f0000-0000-7000-8000-00000000dead");
        let send = async |client: &Client| client.send(client.request(operation.method.clone(), &path)).await;
        for client in [&anonymous, &stranger] {
            let answer = send(client).await;
            let (field, word) = match &operation {
                veza if veza.speaks_veza() => ("code", "Unauthenticated"),
                sailpoint if sailpoint.speaks_sailpoint() => ("error", "Invalid or expired authentication token"),
                _ => ("error", "unauthorized"),
            };
            assert_eq!((answer.status, &answer.json[field]), (401, &json!(word)), "{}", operation.id);
        }
        let least = LEAST.iter().find(|(name, _)| *name == operation.id).unwrap().1;
        let mut may = false;
        for role in Role::ALL {
            may |= role == least;
            let answer = send(&clients[role.as_str()]).await;
            let is_refused = answer.status == 403;
            assert_eq!(is_refused, !may, "{} as {}: {}", operation.id, role.as_str(), answer.text);
            if is_refused {
                let message = answer.json["message"].as_str().or(answer.json["messages"][0]["text"].as_str()).unwrap();
                assert!(message.ends_with(&format!("needs {}", least.as_str())), "{message}");
            }
        }
    }
    assert_eq!(server.head().await, head);
    server.stop().await;
}

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just(String::new()),
        Just("\u{0}".to_owned()),
        Just("018f0000-0000-7000-8000-00000000dead".to_owned()),
        Just("2026-02-30".to_owned()),
        "[a-zA-Z0-9 ./\\\\'\"%=-]{0,12}",
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-zA-Z]{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The first bytes of a text, each as `%XX`.
fn percent_encoded(text: &str) -> String {
    text.bytes().take(24).fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02X}"))
}

/// Puts something else somewhere into a body that is right, or takes a part away.
fn spoil(body: &mut Value, with: Value, mut way: u32) {
    let step = way % 4;
    way /= 4;
    match body {
        Value::Object(fields) if !fields.is_empty() && way > 0 => {
            let key = fields.keys().nth(way as usize % fields.len()).unwrap().clone();
            if step == 0 {
                fields.remove(&key);
            } else {
                spoil(&mut fields[&key], with, way / 7);
            }
        }
        Value::Array(values) if !values.is_empty() && way > 0 => {
            let at = way as usize % values.len();
            spoil(&mut values[at], with, way / 3);
        }
        other => *other = with,
    }
}

#[tokio::test]
async fn no_operation_falls_over_garbage() {
    const ROUNDS: usize = 40;
    let server = TestServer::start().await;
    let people = server.create(directory("Directory")).await;
    let app = server.create(grants_only("Payroll")).await;
    server.import(&people, "identities", PEOPLE).await;
    let import = server.import(&app, "grants", GRANTS).await;
    let identity = server.items("/api/identities").await[0].clone();
    let account = server.items(&format!("/api/applications/{}/accounts", id(&app))).await[0].clone();
    let group = file_group(&app, "grants");
    let joiner = json!({"identity": {"firstName": "Finn", "lastName": "Falk"}, "effectiveDate": "2026-03-15"});
    let event = server.client.post("/api/personnel-events/onboard", joiner).await.json;
    let awf = async |noun: &str, body: &Value| -> Value {
        let answer = server.client.post(&format!("/api/preview/awf/{noun}"), body.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    };
    let automation_body = json!({"name": "Reject A", "description": "d", "priority": 1,
        "attachment_behavior": {"attach_to_new_workflows": true, "opt_in": true},
        "criteria": {"filter": "source.name sw \"A\"", "mutable_filter": "previous.notes pr"},
        "action": {"decision": 3, "signed_off_state": "SIGNED_OFF", "notes": "n", "reviewer_assignment": {"reviewers": []}}});
    let automation = awf("automations", &automation_body).await;
    let workflow_body = json!({"name": "Quarterly", "description": "d", "notes": "n", "application_ids": [id(&app)],
        "filter": "source.is_active eq true", "reviewers": [{"id": id(&identity), "user_type": "x"}],
        "owner": {"email": "nobody@example.com", "id": id(&identity)}, "automation_ids": [id(&automation)]});
    let workflow = awf("workflows", &workflow_body).await["workflow_id"].as_str().unwrap().to_owned();
    let certification = certified(&server.client, &workflow).await;
    let decision = json!({"decision": "ACCEPTED", "notes": "n", "signed_off_state": 1});
    let mut result = decision.clone();
    result["result_id"] = json!(0);
    result["reviewers"] = json!([{"id": id(&identity)}]);
    result["notification_status"] = json!("PENDING");
    let mut decision_by_filter = decision;
    decision_by_filter["filter"] = json!("source.name sw \"A\"");
    decision_by_filter["mutable_filter"] = json!("decision eq \"NONE\"");
    let certification_body = json!({"workflow_id": workflow, "data_source": 0, "name": "Q1", "notes": "n", "due_date": "2027-01-01",
        "reviewer_assignment": {"users_manager": true, "resource_managers": true, "reviewers": [{"id": id(&identity)}],
                                "fallback_reviewers": [{"id": id(&identity)}]}, "automation_ids": [id(&automation)]});
    let mut updated_automation = automation_body.clone();
    updated_automation["id"] = automation["id"].clone();
    let attachment = json!({"id": id(&automation), "workflow_id": workflow, "all": false, "opt_in": false});
    let right: BTreeMap<&str, Value> = BTreeMap::from([
        ("createApplication", grants_only("Other")),
        ("updateApplication", grants_only("Payroll")),
        (
            "setImportSchedule",
            json!({"cron": "0 2 * * *", "timezone": "UTC", "isEnabled": true, "files": [{"fileGroupId": group, "path": "g.csv"}]}),
        ),
        ("stageApplicationImport", json!({"applicationId": id(&app)})),
        ("cancelApplicationImport", json!({"applicationImportId": id(&import)})),
        ("assignAccount", json!({"identityId": id(&identity), "comment": "Shared desk"})),
        (
            "updateSettings",
            json!({"identitySources": [id(&people)], "timezone": "Europe/Zurich", "customFields": ["customField1"],
                   "defaultResponders": [id(&identity)]}),
        ),
        (
            "createOnboard",
            json!({"identity": {"firstName": "Eve", "lastName": "Ernst", "email": "e@x", "customField1": "x"},
                   "effectiveDate": "2026-03-15", "endDate": "2026-04-15T00:00:00Z", "comment": "c"}),
        ),
        ("createOffboard", json!({"identityId": id(&identity), "effectiveDate": "2026-03-15", "comment": "c"})),
        (
            "createRoleTransition",
            json!({"identityId": id(&identity), "identity": {"title": "Head"}, "effectiveDate": "2026-03-15"}),
        ),
        ("createLeaveOfAbsence", json!({"identityId": id(&identity), "effectiveDate": "2026-03-15"})),
        ("approvePersonnelStage", json!({"comment": "c", "responderId": id(&identity)})),
        ("rejectPersonnelStage", json!({"comment": "c"})),
        ("resetPersonnelStage", json!({"responderId": id(&identity)})),
        ("assignPersonnelEvent", json!({"assigneeId": id(&identity)})),
        ("commentPersonnelEvent", json!({"comment": "c"})),
        ("reschedulePersonnelEvent", json!({"effectiveDate": "2026-03-16", "endDate": "2026-04-16"})),
        ("cancelPersonnelEvent", json!({"comment": "c"})),
        (
            "createAccessRequest",
            json!({"action": "Remove", "identityId": id(&identity), "applicationId": id(&app), "entitlements": ["pay.read"],
                   "neededOn": "2026-03-16", "comment": "c"}),
        ),
        ("approveAccessRequest", json!({"comment": "c", "responderId": id(&identity)})),
        ("rejectAccessRequest", json!({"comment": "c"})),
        ("resetAccessRequest", json!({"responderId": id(&identity)})),
        ("failAccessRequest", json!({"comment": "c"})),
        ("assignAccessRequest", json!({"assigneeId": id(&identity)})),
        ("commentAccessRequest", json!({"comment": "c"})),
        ("cancelAccessRequest", json!({"comment": "c"})),
        ("createWorkflow", workflow_body.clone()),
        ("updateWorkflow", workflow_body),
        ("createAutomation", automation_body),
        ("updateAutomation", json!({"value": updated_automation})),
        ("attachAutomations", attachment.clone()),
        ("detachAutomations", attachment),
        ("previewAutomation", json!({"workflow_id": workflow})),
        ("createCertification", certification_body),
        ("updateResult", json!({"value": result})),
        ("forceUpdateResult", json!({"value": result})),
        ("decideResults", decision_by_filter),
        (
            "exportSpConfig",
            json!({"description": "d", "includeTypes": ["RULE"], "excludeTypes": ["ROLE"],
                   "objectOptions": {"RULE": {"includedIds": ["1"], "includedNames": ["n"]}}}),
        ),
        (
            "createToken",
            json!({"name": "t", "role": "reader", "identityId": id(&identity), "expirationDate": "2030-01-01"}),
        ),
    ]);
    // The same garbage in every run, so that what was found stays found.
    let mut runner =
        TestRunner::new(ProptestConfig { rng_seed: RngSeed::Fixed(20_260_315), ..ProptestConfig::default() });
    let mut draw = || {
        let strategy = (any_json(), any::<u32>(), any::<String>(), 0_u8..8);
        strategy.new_tree(&mut runner).unwrap().current()
    };
    for operation in operations() {
        for _ in 0..ROUNDS {
            let (garbage, way, text, case) = draw();
            let encoded = percent_encoded(&text);
            let some_id = match case {
                0 => encoded.clone(),
                1 if way % 2 == 0 => id(&event).to_owned(),
                1 => id(&import).to_owned(),
                2 if way % 2 == 0 => workflow.clone(),
                2 => id(&identity).to_owned(),
                3 if operation.speaks_veza() => id(&automation).to_owned(),
                4 if operation.speaks_veza() => certification.clone(),
                3 | 4 => id(&account).to_owned(),
                _ => id(&app).to_owned(),
            };
            let mut path = operation.at(if some_id.is_empty() { "x" } else { &some_id });
            for (number, parameter) in operation.document["parameters"].as_array().into_iter().flatten().enumerate() {
                if parameter["in"] == "query" && (way >> number) & 1 == 1 {
                    let name = parameter["name"].as_str().unwrap();
                    path.push(if path.contains('?') { '&' } else { '?' });
                    path.extend([name, "=", if case % 2 == 0 { &encoded } else { "7" }]);
                }
            }
            let mut request = server.client.request(operation.method.clone(), &path);
            if way % 5 == 0 {
                request = request.header("Idempotency-Key", format!("k{way}")).header("If-Match", format!("\"{way}\""));
            }
            if operation.takes("application/json") {
                let mut body = right
                    .get(operation.id.as_str())
                    .unwrap_or_else(|| panic!("no right body for {}", operation.id))
                    .clone();
                spoil(&mut body, garbage, way);
                request = request.json(&body);
            } else if operation.takes("multipart/form-data") {
                let part = reqwest::multipart::Part::bytes(garbage.to_string().into_bytes()).file_name(text.clone());
                let mut form = reqwest::multipart::Form::new();
                let name = match case {
                    0..4 if operation.speaks_sailpoint() => "data".to_owned(),
                    case if case % 2 == 0 => group.clone(),
                    _ => text.clone(),
                };
                form = if operation.speaks_sailpoint() && way % 2 == 0 {
                    form.text("options", json!({"includeTypes": draw().0}).to_string())
                } else {
                    form.text("applicationId", some_id)
                };
                request = request.multipart(form.part(name, part));
            }
            let answer = server.client.send(request).await;
            assert!(answer.status < 500, "{} {path}: {} {}", operation.id, answer.status, answer.text);
            if answer.status >= 400 && operation.is_open() {
                assert!(answer.json["error_description"].is_string(), "{}: {}", operation.id, answer.text);
            } else if answer.status >= 400 {
                let field = match &operation {
                    veza if veza.speaks_veza() => "request_id",
                    sailpoint if sailpoint.speaks_sailpoint() => "trackingId",
                    _ => "correlationId",
                };
                assert_eq!(
                    answer.json[field].as_str().map(str::len),
                    Some(32),
                    "{} {path}: {}",
                    operation.id,
                    answer.text
                );
            }
        }
    }
    // Whatever was let through has an end, and the tables follow from the log.
    for import in server.items("/api/application-imports").await {
        server.ended(&import).await;
    }
    server.assert_verified().await;
    server.stop().await;
}
