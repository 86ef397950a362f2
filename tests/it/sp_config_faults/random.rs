//! Any sequence of imports and restores, by two clients at two servers at once, leaves a log and tables that agree, and a configuration
//! that can be moved to an empty server.

use serde_json::{Value, json};

use super::house::{Chance, export, same};
use crate::support::TestServer;
use crate::support::configuration::{file, object};

const KINDS: [&str; 4] = ["RULE", "TRANSFORM", "TRIGGER_SUBSCRIPTION", "SOURCE"];

/// Objects that are never put back: what refers to them finds them in an empty server as well.
fn anchors() -> Vec<Value> {
    (0..5).map(|n| object("CONNECTOR_RULE", &format!("anchor-{n}"), &format!("Anchor {n}"), json!({"n": n}))).collect()
}

fn any_object(chance: &mut Chance) -> Value {
    let (kind, id) = (KINDS[chance.below(4) as usize], chance.below(12));
    // Now and then under a name that may be another's.
    let name = if chance.below(6) == 0 { chance.below(12) } else { id };
    let anchor = chance.below(5);
    let to = match chance.below(3) {
        0 => json!({"type": "CONNECTOR_RULE", "id": format!("anchor-{anchor}")}),
        1 => json!({"type": "CONNECTOR_RULE", "name": format!("Anchor {anchor}")}),
        _ => Value::Null,
    };
    let name = format!("{kind} {name}");
    let content = json!({"name": name, "n": chance.below(4), "password": format!("p{}", chance.below(3)), "to": to});
    object(kind, &format!("{kind}-{id}"), &name, content)
}

/// Imports and restores, one after the other; what it imported.
async fn walk(server: &TestServer, mut chance: Chance) {
    let mut imports: Vec<String> = Vec::new();
    for _ in 0..14 {
        if chance.below(3) == 0 && !imports.is_empty() {
            let import = imports.swap_remove(chance.below(imports.len() as u64) as usize);
            let answer = server.client.post(&format!("/api/config-imports/{import}/restore"), json!({})).await;
            assert!(matches!(answer.status, 200 | 409), "{} {}", answer.status, answer.text);
            continue;
        }
        let objects: Vec<Value> = (0..=chance.below(20)).map(|_| any_object(&mut chance)).collect();
        let options = match chance.below(4) {
            0 => json!({"excludeBackup": true}),
            1 => json!({"includeTypes": ["RULE", "SOURCE"]}),
            2 => json!({"excludeTypes": ["SOURCE"], "objectOptions": {"RULE": {"includedIds": ["RULE-1", "RULE-2"]}}}),
            _ => json!({}),
        };
        let path = if chance.below(6) == 0 { "/sp-config/import?preview=true" } else { "/sp-config/import" };
        let answer = server.send_config(path, file(&objects).to_string(), Some(options)).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        let import = answer.json["jobId"].as_str().unwrap().to_owned();
        let job = server.config_job("import", &import).await;
        assert!(job["message"].as_str().is_none_or(|text| !text.starts_with("Given up")), "{job}");
        if !path.contains("preview") {
            imports.push(import);
        }
    }
}

#[tokio::test]
async fn whatever_two_clients_import_and_restore_the_log_is_sound_and_the_configuration_can_be_moved() {
    let mut chance = Chance::new();
    for _ in 0..2 {
        let first = TestServer::start().await;
        let second = first.start_beside().await;
        let (job, _) = first.import_config("/sp-config/import", &file(&anchors()), None).await;
        assert_eq!(job["status"], "COMPLETE");
        tokio::join!(walk(&first, chance.fork()), walk(&second, chance.fork()));
        first.assert_verified_in(&[1000, 1]).await;
        let exported = export(&first.client).await;
        same("the other server's export", &export(&second.client).await, &exported);
        let moved = TestServer::start().await;
        let data: Value = serde_json::from_str(&format!("{{{exported}")).unwrap();
        let (job, results) = moved.import_config("/sp-config/import", &data, None).await;
        assert_eq!(job["status"], "COMPLETE", "{results}");
        same("the export of an empty server that imported it", &export(&moved.client).await, &exported);
        moved.assert_verified_in(&[7]).await;
        for server in [first, second, moved] {
            server.stop().await;
        }
    }
}
