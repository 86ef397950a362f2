//! What an import does, object by object.

use serde_json::{Value, json};

use crate::support::bodies::{GRANTS, grants_only};
use crate::support::configuration::{file, object};
use crate::support::{TestServer, eventually};

const IMPORT: &str = "/sp-config/import";

fn names(of_type: &Value) -> Vec<&str> {
    of_type["importedObjects"].as_array().unwrap().iter().map(|object| object["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_preview_tells_what_would_be_and_changes_nothing() {
    let server = TestServer::start().await;
    let rule = |place: &str, reference: Value| {
        let mut rule = json!({"type": "Validation", "language": "scim", "sourceCode": {"script": "key pr"}});
        rule[place] = reference;
        rule
    };
    let objects = [
        object("RULE", "1", "one", rule("owner", json!({"type": "IDENTITY", "id": "9", "name": "Nobody"}))),
        object("RULE", "2", "two", rule("after", json!({"type": "RULE", "name": "one"}))),
    ];
    let before = server.head().await;
    let (job, results) = server.import_config("/sp-config/import?preview=true", &file(&objects), None).await;
    assert_eq!(job["status"], "COMPLETE");
    let rules = &results["results"]["RULE"];
    let texts: Vec<&str> =
        rules["infos"].as_array().unwrap().iter().map(|info| info["text"].as_str().unwrap()).collect();
    assert_eq!(
        texts,
        [
            "Object to be imported: [1, one]",
            "Reference at $.after to [type: RULE, id: , name: one] resolved by name to [id: 1, name: one]",
            "Object to be imported: [2, two]",
        ]
    );
    assert_eq!(rules["infos"][0], json!({"key": "IMPORT_PREVIEW", "text": texts[0], "details": {}}));
    assert_eq!(rules["warnings"][0]["key"], "UNKNOWN_REFERENCE_RESOLVER");
    assert_eq!((&rules["importedObjects"], &results["exportJobId"]), (&json!([]), &Value::Null));
    assert_eq!(server.events_after(before, &["config_object", "application"]).await, 0);
    assert_eq!(server.export_config(json!({})).await["objects"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn one_that_cant_be_imported_fails_the_job_and_costs_no_other() {
    let server = TestServer::start().await;
    let objects = [
        object("RULE", "1", "one", json!({})),
        object("RULE", "2", "two", json!({"to": {"type": "RULE", "name": "nowhere"}})),
        object("RULE", "3", "three", json!({"to": {"type": "RULE", "name": "two"}})),
        object("ROLE", "4", "four", json!({})),
        object("SOURCE", "5", "people of others", json!({"type": "Non-Employee", "connector": "x"})),
        object("SOURCE", "6", "wrong", json!({"connectorAttributes": {"muniment": {"priority": "Very"}}})),
        json!({"version": 1, "object": {}}),
    ];
    let (job, results) = server.import_config(IMPORT, &file(&objects), None).await;
    assert_eq!(job["status"], "FAILED");
    assert_eq!(job["message"], "Import halted because of errors. Download results for error details.");
    let rules = &results["results"]["RULE"];
    assert_eq!(names(rules), ["one"]);
    let texts = |kind: &str| -> Vec<String> {
        let errors = results["results"][kind]["errors"].as_array().unwrap();
        errors.iter().map(|error| error["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        texts("RULE"),
        [
            "Unable to resolve reference for object [type: RULE, id: , name: nowhere] at $.to",
            "There was an error importing 'RULE' with name 'three' and id '3': it refers to the RULE \"two\", which can't be imported",
        ]
    );
    assert!(texts("ROLE")[0].contains("\"ROLE\" is no type of objects that can be imported; known: CONNECTOR_RULE, "));
    assert!(texts("SOURCE")[0].ends_with("non-employee sources can't be imported; its type is \"Non-Employee\""));
    assert!(texts("SOURCE")[1].contains("its connectorAttributes.muniment isn't right: unknown variant `Very`"));
    assert_eq!(texts("UNKNOWN"), ["objects[6] can't be imported: it has no self"]);
    assert_eq!(server.export_config(json!({})).await["objects"], json!([objects[0]]));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_backup_keeps_everything_as_it_was_and_can_be_left_out() {
    let server = TestServer::start().await;
    let rule = |script: &str| object("RULE", "1", "one", json!({"script": script}));
    server.import_config(IMPORT, &file(&[rule("old")]), None).await;
    let options = json!({"includeTypes": ["TRANSFORM"]});
    let objects = [rule("new"), object("TRANSFORM", "2", "two", json!({"type": "lower"}))];
    let (_, results) = server.import_config(IMPORT, &file(&objects), Some(options)).await;
    let backup = server.config_file(results["exportJobId"].as_str().unwrap()).await;
    assert_eq!(backup["objects"], json!([rule("old")]), "all types, whatever the options");
    let (_, results) = server.import_config(IMPORT, &file(&objects), Some(json!({"excludeBackup": true}))).await;
    assert!(results.get("exportJobId").is_none());
    assert_eq!(server.export_config(json!({})).await["objects"], json!(objects));
    let (job, _) = server.import_config(IMPORT, &backup, None).await;
    assert_eq!(job["status"], "COMPLETE", "a backup is a file like any other");
    assert_eq!(server.export_config(json!({"includeTypes": ["RULE"]})).await["objects"], json!([rule("old")]));
    server.stop().await;
}

#[tokio::test]
async fn the_same_file_again_imports_everything_and_appends_nothing_about_it() {
    let server = TestServer::start().await;
    let objects =
        [object("RULE", "1", "one", json!({"n": 1.50})), object("SOURCE", "2", "Two", json!({"name": "Two"}))];
    server.import_config(IMPORT, &file(&objects), None).await;
    let before = server.head().await;
    let (job, results) = server.import_config(IMPORT, &file(&objects), None).await;
    assert_eq!(job["status"], "COMPLETE");
    assert_eq!((names(&results["results"]["RULE"]), names(&results["results"]["SOURCE"])), (vec!["one"], vec!["Two"]));
    assert_eq!(server.events_after(before, &["config_object", "application"]).await, 0);
    server.stop().await;
}

#[tokio::test]
async fn secrets_are_in_no_event_and_no_file_and_stay_when_they_are_taken_out() {
    let server = TestServer::start().await;
    let trigger = |secret: &str| {
        let config = json!({"url": "https://example.com", "bearerTokenAuthConfig": {"bearerToken": secret}});
        object("TRIGGER_SUBSCRIPTION", "1", "hook", json!({"type": "HTTP", "httpConfig": config}))
    };
    // What nobody took is forgotten right behind the end of the job that brought it.
    let is_known = async |expected: &str| {
        eventually(&format!("{expected} is known and nothing else"), async || {
            let all = sqlx::query_scalar("SELECT value FROM work.config_secrets");
            let all: Vec<String> = all.fetch_all(&server.server.app.pool).await.unwrap();
            (all == [expected]).then_some(())
        })
        .await;
    };
    server.import_config(IMPORT, &file(&[trigger("s3cret-one")]), None).await;
    is_known("s3cret-one").await;
    let exported = server.export_config(json!({})).await;
    assert_eq!(exported["objects"], json!([trigger("********")]));
    server.import_config(IMPORT, &exported, None).await;
    // A redacted value keeps the secret.
    is_known("s3cret-one").await;
    server.import_config(IMPORT, &file(&[trigger("s3cret-two")]), None).await;
    is_known("s3cret-two").await;
    server.import_config("/sp-config/import?preview=true", &file(&[trigger("s3cret-three")]), None).await;
    is_known("s3cret-two").await;
    let mut elsewhere = object("WORKFLOW", "7", "not ours", json!({"password": "s3cret-four"}));
    elsewhere["beside"] = json!({"apiKey": "s3cret-five"});
    server.import_config(IMPORT, &file(&[elsewhere]), None).await;
    is_known("s3cret-two").await;
    let told: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM journal.events WHERE payload::text LIKE '%s3cret%')
              + (SELECT count(*) FROM evidence.blobs WHERE encode(bytes, 'escape') LIKE '%s3cret%')",
    )
    .fetch_one(&server.server.app.pool)
    .await
    .unwrap();
    assert_eq!(told, 0);
    server.stop().await;
}

#[tokio::test]
async fn a_source_is_an_application_and_an_application_a_source() {
    let (here, there) = (TestServer::start().await, TestServer::start().await);
    let app = here.create(grants_only("Payroll")).await;
    here.schedule(&app, &[("grants", "payroll/grants.csv")]).await;
    let exported = here.export_config(json!({"includeTypes": ["SOURCE"]})).await;
    assert_eq!(exported["objects"][0]["self"], json!({"type": "SOURCE", "id": app["id"], "name": "Payroll"}));
    let (job, results) = there.import_config(IMPORT, &exported, None).await;
    assert_eq!(job["status"], "COMPLETE", "{results}");
    assert_eq!(there.export_config(json!({"includeTypes": ["SOURCE"]})).await["objects"], exported["objects"]);
    let same = there.client.get(&format!("/api/applications/{}", app["id"].as_str().unwrap())).await.json;
    for field in ["name", "priority", "connector", "correlation", "importSchedule", "removalLimit"] {
        let here = here.client.get(&format!("/api/applications/{}", app["id"].as_str().unwrap())).await.json;
        assert_eq!(same[field], here[field], "{field}");
    }
    there.import(&same, "grants", GRANTS).await;
    assert!(!there.grants(&same).await.is_empty());
    for server in [here, there] {
        server.assert_verified().await;
        server.stop().await;
    }
}

#[tokio::test]
async fn a_source_of_another_system_is_kept_whole_and_renamed_like_any_application() {
    let server = TestServer::start().await;
    let foreign = json!({
        "name": "Workday", "description": null, "type": "Workday", "connector": "workday-angularsc",
        "connectorAttributes": {"url": "https://example.com", "nested": [{"b": 1, "a": 1e2}]},
        "owner": {"type": "IDENTITY", "id": "2c918084", "name": "Adam Kennedy"},
    });
    let entry = object("SOURCE", "2c9180835d191a86015d28455b4a2329", "Workday", foreign.clone());
    let (job, _) = server.import_config(IMPORT, &file(std::slice::from_ref(&entry)), None).await;
    assert_eq!(job["status"], "COMPLETE");
    assert_eq!(server.export_config(json!({})).await["objects"], json!([entry]));
    let app = server.items("/api/applications").await.remove(0);
    assert_eq!((&app["name"], &app["kind"]), (&json!("Workday"), &json!("Application")));
    let path = format!("/api/applications/{}", app["id"].as_str().unwrap());
    let detail = server.client.get(&path).await.json;
    assert_eq!(detail["connector"]["type"], "external");
    let renamed = server.client.put(&path, json!({"name": "Workday 2", "connector": {"type": "external"}})).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text);
    let exported = server.export_config(json!({})).await;
    assert_eq!(exported["objects"][0]["self"]["name"], "Workday 2");
    assert_eq!(exported["objects"][0]["object"]["name"], "Workday 2");
    assert_eq!(exported["objects"][0]["object"]["connectorAttributes"], foreign["connectorAttributes"]);
    server.assert_verified().await;
    server.stop().await;
}
