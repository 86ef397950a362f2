//! Whatever set of objects is exported, imported into an empty server and exported again is the same, byte for byte.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngSeed, TestRunner};
use serde_json::{Map, Value, json};

use crate::support::TestServer;
use crate::support::configuration::object;

/// Any JSON, without names that say a secret.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        "[^\u{0}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-fä \"]{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Objects with ids and names of their own, each of which may refer to those before it.
fn any_objects() -> impl Strategy<Value = Vec<Value>> {
    let kinds = prop::sample::select(vec![
        "RULE",
        "TRANSFORM",
        "TRIGGER_SUBSCRIPTION",
        "IDENTITY_PROFILE",
        "SOURCE",
        "CONNECTOR_RULE",
    ]);
    prop::collection::vec((kinds, any_json(), any::<prop::sample::Index>()), 1..12).prop_map(|all| {
        let mut objects: Vec<Value> = Vec::new();
        for (number, (kind, body, index)) in all.into_iter().enumerate() {
            let refers = objects.get(index.index(number + 1)).map(|other| other["self"].clone());
            let content = json!({"name": format!("Name {number}"), "body": body, "refersTo": refers});
            let mut entry = object(kind, &format!("id-{number}"), &format!("Name {number}"), content);
            if kind == "RULE" {
                entry["jwsHeader"] = json!("eyJhbGciOiJFUzI1NiJ9");
                entry["jwsSignature"] = json!(number);
            }
            objects.push(entry);
        }
        objects.reverse();
        objects
    })
}

#[tokio::test]
async fn export_import_export_is_the_same() {
    let config = ProptestConfig { rng_seed: RngSeed::Fixed(6), ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    for _ in 0..8 {
        let objects = any_objects().new_tree(&mut runner).unwrap().current();
        let (first, second) = (TestServer::start().await, TestServer::start().await);
        let (job, results) = first.import_config("/sp-config/import", &json!({"objects": objects}), None).await;
        assert_eq!(job["status"], "COMPLETE", "{results}");
        let exported = text(&first, "/sp-config").await;
        let (job, results) =
            second.import_config("/beta/sp-config/import", &serde_json::from_str(&exported).unwrap(), None).await;
        assert_eq!(job["status"], "COMPLETE", "{results}");
        let again = text(&second, "/v2025/sp-config").await;
        assert_eq!(again, exported);
        let mut expected = objects.clone();
        let key = |entry: &Value| ["type", "name", "id"].map(|name| entry["self"][name].as_str().unwrap().to_owned());
        expected.sort_by_key(key);
        let read: Value = serde_json::from_str(&exported).unwrap();
        assert_eq!(read["objects"], json!(expected));
        for server in [first, second] {
            server.assert_verified_in(&[7]).await;
            server.stop().await;
        }
    }
}

/// The very bytes of an export. The clocks of tests stand still, so that nothing differs by itself.
async fn text(server: &TestServer, base: &str) -> String {
    let started = server.client.post(&format!("{base}/export"), json!({"description": "all"})).await;
    let id = started.json["jobId"].as_str().unwrap().to_owned();
    server.config_job("export", &id).await;
    server.client.get(&format!("{base}/export/{id}/download")).await.text
}
