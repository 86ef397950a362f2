//! RULE objects in feeds: what rows must be, and whose accounts are.

use serde_json::{Value, json};

use crate::support::bodies::{application, directory, group};
use crate::support::configuration::{file, object};
use crate::support::{TestServer, file_group, id};

const IMPORT: &str = "/sp-config/import";

/// An entry of a rule that is executed here.
fn rule(name: &str, kind: &str, script: &str) -> Value {
    let script = json!({"version": "1.0", "script": script});
    object("RULE", name, name, json!({"type": kind, "language": "scim", "sourceCode": script, "description": null}))
}

fn with(mut entry: Value, place: &str, value: Value) -> Value {
    entry["object"][place] = value;
    entry
}

/// Brings rules in; all that is told of them.
async fn bring(server: &TestServer, rules: &[Value]) -> Vec<String> {
    let (job, results) = server.import_config(IMPORT, &file(rules), None).await;
    assert_eq!(job["status"], "COMPLETE", "{results}");
    let infos = results["results"].as_object().unwrap().values().flat_map(|of| of["infos"].as_array().unwrap());
    infos.map(|info| format!("{}: {}", info["key"].as_str().unwrap(), info["text"].as_str().unwrap())).collect()
}

/// An application of accounts whose group names these rules.
fn log_ins(name: &str, rules: &[&str]) -> Value {
    let fields = ["key", "name", "email", "employeeId", "type", "isActive", "lastLoginAt", "costCentre"];
    let mut accounts = group("accounts", &fields);
    accounts["rules"] = json!(rules);
    application(name, &[accounts])
}

const HEADER: &str = "key,name,email,employeeId,type,isActive,lastLoginAt,costCentre";

fn feed(rows: &[&str]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

async fn issues(server: &TestServer, import: &Value) -> Vec<Value> {
    server.items(&format!("/api/application-imports/{}/issues", id(import))).await
}

async fn accounts(server: &TestServer, application: &Value) -> Vec<Value> {
    server.items(&format!("/api/applications/{}/accounts", id(application))).await
}

/// Of each account its key and why it is somebody's.
async fn owners(server: &TestServer, application: &Value) -> Vec<(String, Value)> {
    let told = |account: Value| (account["key"].as_str().unwrap().to_owned(), account["correlatedBy"].clone());
    accounts(server, application).await.into_iter().map(told).collect()
}

fn log(import: &Value) -> &str {
    import["log"].as_str().unwrap()
}

#[tokio::test]
async fn a_row_that_breaks_a_rule_is_left_out_and_what_is_known_of_it_stays() {
    let server = TestServer::start().await;
    let active = "not (isActive eq true) or (lastLoginAt ge \"2026-01-01\" and attributes.costcentre gt 4000)";
    let active =
        with(rule("Active log-ins are used", "Validation", active), "description", json!("Policy 7.2 says so"));
    assert_eq!(bring(&server, &[active]).await, Vec::<String>::new());
    let app = server.create(log_ins("Doors", &["Active log-ins are used"])).await;
    assert_eq!(app["connector"]["fileGroups"][0]["rules"], json!(["Active log-ins are used"]));
    let good = feed(&["a,Ann,,,,yes,2026-02-01,4711", "b,Bob,,,,no,2020-01-01,", "c,Cid,,,,,,"]);
    assert_eq!(server.import(&app, "accounts", &good).await["metrics"]["rowsRejected"], 0);
    let bad = feed(&["a,Changed,,,,yes,2025-12-31,4711", "b,Changed,,,,no,2020-01-01,", "d,New,,,,yes,2026-02-01,12"]);
    let import = server.import(&app, "accounts", &bad).await;
    assert_eq!((&import["status"], &import["metrics"]["rowsRejected"]), (&json!("Finished"), &json!(2)));
    let found = issues(&server, &import).await;
    let first = json!({
        "fileGroupId": file_group(&app, "accounts"), "file": "accounts.csv", "row": 2, "column": null, "value": null,
        "code": "rule_not_satisfied", "allowed": null,
        "message": "The row doesn't satisfy the rule \"Active log-ins are used\": Policy 7.2 says so",
    });
    assert_eq!(found[0], first);
    assert_eq!(server.issues(&import).await, ["2 rule_not_satisfied", "4 rule_not_satisfied"]);
    let named: Vec<(String, Value)> = accounts(&server, &app)
        .await
        .into_iter()
        .map(|account| (account["key"].as_str().unwrap().to_owned(), account["name"].clone()))
        .collect();
    assert_eq!(named, [("a".to_owned(), json!("Ann")), ("b".to_owned(), json!("Changed"))]);
    let rejects = server.client.get(&format!("/api/application-imports/{}/rejects", id(&import))).await.text;
    assert_eq!(rejects, feed(&["a,Changed,,,,yes,2025-12-31,4711", "d,New,,,,yes,2026-02-01,12"]));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_warning_is_remarked_on_and_a_field_that_is_not_there_is_told() {
    let server = TestServer::start().await;
    let warning =
        with(rule("Mail", "Validation", "email ew \"@example.com\""), "attributes", json!({"severity": "warning"}));
    let strict = rule("Badge or key", "Validation", "attributes.Badge pr or key sw \"A\"");
    bring(&server, &[warning, strict]).await;
    let app = server.create(log_ins("Doors", &["Mail", "Badge or key"])).await;
    let rows = feed(&["a1,,a@example.com,,,,,", "a2,,a@x,,,,,", "b1,,b@x,,,,,"]);
    let import = server.import(&app, "accounts", &rows).await;
    let told: Vec<(Value, String)> = issues(&server, &import)
        .await
        .into_iter()
        .map(|issue| (issue["row"].clone(), issue["message"].as_str().unwrap().to_owned()))
        .collect();
    let mail = "The row doesn't satisfy the rule \"Mail\"".to_owned();
    let badge = "The row doesn't satisfy the rule \"Badge or key\"".to_owned();
    assert_eq!(told, [(json!(3), mail.clone()), (json!(4), mail), (json!(4), badge)]);
    assert_eq!((&import["metrics"]["rowsRejected"], &import["metrics"]["accounts"]["added"]), (&json!(1), &json!(2)));
    assert_eq!(log(&import), "accounts has no field attributes.badge, which the rule \"Badge or key\" reads");
    let rejects = server.client.get(&format!("/api/application-imports/{}/rejects", id(&import))).await.text;
    assert_eq!(rejects, feed(&["b1,,b@x,,,,,"]));
    server.stop().await;
}

#[tokio::test]
async fn rows_of_every_content_have_rules_and_must_satisfy_them_under_each_key() {
    let server = TestServer::start().await;
    bring(
        &server,
        &[
            rule("People", "Validation", "department pr and type ne \"unknown\" and status eq \"active\""),
            rule("Roles", "Validation", "isPrivileged eq false or owner pr"),
            rule("Grants", "Validation", "not (account sw \"x\" and entitlement eq \"ADMIN\") and attributes.since pr"),
        ],
    )
    .await;
    let mut groups = [
        group("identities", &["key", "displayName", "department", "type", "status"]),
        group("entitlements", &["key", "owner", "isPrivileged"]),
        group("grants", &["account", "entitlement", "since"]),
    ];
    for (group, name) in groups.iter_mut().zip(["People", "Roles", "Grants"]) {
        group["rules"] = json!([name]);
    }
    groups[2]["columns"]["entitlement"] = json!({"column": "entitlement", "transforms": [{"split": ";"}]});
    let app = server.create(application("HR", &groups)).await;
    let import = server
        .import_all(
            &app,
            &[
                (
                    "identities",
                    "key,displayName,department,type,status\np1,A,Sales,employee,A\np2,B,,employee,A\np3,C,IT,robot,A\n\
                     p4,D,IT,vendor,D\n",
                ),
                ("entitlements", "key,owner,isPrivileged\nread,,no\nadmin,,yes\nroot,ann,yes\nodd,,\n"),
                ("grants", "account,entitlement,since\nx1,read;write,1\nx2,read;Admin,1\ny1,admin,1\ny2,read,\n"),
            ],
        )
        .await;
    assert_eq!(import["status"], "Finished", "{import}");
    let told: Vec<String> = issues(&server, &import)
        .await
        .iter()
        .map(|issue| format!("{} {}", issue["file"].as_str().unwrap(), issue["row"]))
        .collect();
    assert_eq!(
        told,
        [
            "identities.csv 3",
            "identities.csv 4",
            "identities.csv 5",
            "entitlements.csv 3",
            "entitlements.csv 5",
            "grants.csv 3",
            "grants.csv 5",
        ]
    );
    assert_eq!(server.grants(&app).await, ["x1 read", "x1 write", "y1 admin"]);
    assert_eq!(server.items("/api/identities").await.len(), 1);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_rule_that_cant_be_used_fails_the_import_before_anything_is_read() {
    let server = TestServer::start().await;
    let foreign =
        json!({"type": "Correlation", "sourceCode": {"version": "1.0", "script": "return null;"}, "signature": {}});
    bring(
        &server,
        &[
            rule("Mail", "Validation", "email pr"),
            rule("People", "Validation", "department pr"),
            rule("Owner", "Correlation", "email eq \"{account.email}\""),
            rule("Typing", "Validation", "departmnt pr"),
            object("RULE", "f", "Foreign", foreign),
        ],
    )
    .await;
    let rows = feed(&["a,,a@x,,,,,"]);
    for (name, fault) in [
        ("nowhere", "accounts: there is no rule \"nowhere\""),
        ("mail", "accounts: there is no rule \"mail\""),
        (
            "Foreign",
            "accounts: the rule \"Foreign\" can't be executed here: language: nothing is said; executed are rules in the \
             language \"scim\"",
        ),
        ("Owner", "accounts: the rule \"Owner\" is a Correlation rule; rows need a Validation rule"),
        (
            "Typing",
            "accounts: the rule \"Typing\" can't be executed here: sourceCode.script: character 1: found departmnt, \
             expected an attribute; the nearest is department",
        ),
        (
            "People",
            "accounts: the rule \"People\" doesn't fit accounts: sourceCode.script: character 1: found department, \
             expected one of the attributes key, name, identity, email, employeeId, isActive, lastLoginAt, type, attributes.<name>",
        ),
    ] {
        let app = server.create(log_ins(name, &["Mail", name])).await;
        let import = server.import(&app, "accounts", &rows).await;
        assert_eq!(
            (&import["status"], log(&import)),
            (&json!("Failed"), format!("{fault}; nothing was applied").as_str())
        );
        assert_eq!(accounts(&server, &app).await, Vec::<Value>::new());
    }
    for (name, fault) in [
        ("nowhere", "correlation: there is no rule \"nowhere\""),
        ("Mail", "correlation: the rule \"Mail\" is a Validation rule; accounts need a Correlation rule"),
        ("Foreign", "correlation: the rule \"Foreign\" can't be executed here: language: nothing is said; "),
    ] {
        let mut body = log_ins(&format!("by {name}"), &[]);
        body["correlation"] = json!([{"rule": name}]);
        let import = server.import(&server.create(body).await, "accounts", &rows).await;
        assert_eq!(import["status"], "Failed");
        assert!(log(&import).starts_with(fault), "{import}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_executed_is_kept_and_told() {
    let server = TestServer::start().await;
    let connector =
        object("CONNECTOR_RULE", "c", "Build map", json!({"type": "BuildMap", "sourceCode": {"script": "x"}}));
    let mut foreign =
        object("RULE", "f", "Foreign", json!({"type": "ManagerCorrelation", "sourceCode": {"script": "x"}}));
    foreign["jwsHeader"] = json!("eyJhbGciOiJFUzI1NiJ9");
    foreign["jwsSignature"] = json!("not checked");
    let slow = rule("Slow", "Correlation", "department eq \"Sales\"");
    let good = rule("Good", "Validation", "key pr");
    let told = bring(&server, &[connector.clone(), foreign.clone(), good.clone(), slow.clone()]).await;
    assert_eq!(
        told,
        [
            "NOT_EXECUTABLE: CONNECTOR_RULE \"Build map\" is kept, but not executed here: rules of connectors are for the \
             connectors of others",
            "NOT_EXECUTABLE: RULE \"Foreign\" is kept, but not executed here: language: nothing is said; executed are rules \
             in the language \"scim\"",
            "NOT_EXECUTABLE: RULE \"Slow\" is kept, but not executed here: sourceCode.script: Nobody can be looked up by it: \
             each side of every or needs a comparison such as email eq \"{account.email}\", with eq and a placeholder, that \
             is in no not",
        ]
    );
    assert_eq!(server.export_config(json!({})).await["objects"], json!([connector, foreign, good, slow]));
    server.stop().await;
}

#[tokio::test]
async fn a_source_that_names_rules_comes_back_as_the_same_bytes() {
    let (here, there) = (TestServer::start().await, TestServer::start().await);
    let mut body = log_ins("Doors", &["Mail", "Not there yet"]);
    body["correlation"] = json!([{"rule": "Owner"}, {"account": "email", "identity": "email"}]);
    here.create(body).await;
    bring(
        &here,
        &[rule("Mail", "Validation", "email pr"), rule("Owner", "Correlation", "email eq \"{account.email}\"")],
    )
    .await;
    let exported = here.export_config(json!({})).await;
    let native = &exported["objects"][2]["object"]["connectorAttributes"]["muniment"];
    assert_eq!(native["connector"]["fileGroups"][0]["rules"], json!(["Mail", "Not there yet"]));
    assert_eq!(native["correlation"][0], json!({"rule": "Owner"}));
    let (job, results) = there.import_config(IMPORT, &exported, None).await;
    assert_eq!(job["status"], "COMPLETE", "{results}");
    let again = there.export_config(json!({})).await;
    assert_eq!(again["objects"].to_string(), exported["objects"].to_string());
    let app = there.items("/api/applications").await.remove(0);
    let detail = there.client.get(&format!("/api/applications/{}", id(&app))).await.json;
    assert_eq!(detail["correlation"][0], json!({"rule": "Owner"}));
    for server in [here, there] {
        server.assert_verified().await;
        server.stop().await;
    }
}

/// People of a directory, one of whom has left.
async fn people(server: &TestServer) -> Value {
    let people = server.create(directory("Directory")).await;
    let header = crate::support::bodies::PEOPLE.lines().next().unwrap();
    let row = |key: &str, mail: &str, number: &str, department: &str, state: &str, badge: &str| {
        format!("{key},,,{key},{mail},{number},Employee,,,,{department},,,{state},,,,{badge}\n")
    };
    let all = format!("{header}\n")
        + &row("ann", "ann@example.com", "1", "Sales", "Active", "b-1")
        + &row("bob", "bob@example.com", "2", "IT", "Disabled", "b-2")
        + &row("cid", "shared@example.com", "3", "IT", "Active", "b-3")
        + &row("dan", "shared@example.com", "4", "Sales", "Active", "b-3");
    server.import(&people, "identities", &all).await;
    people
}

#[tokio::test]
async fn a_correlation_rule_finds_the_one_whom_it_means_and_is_named() {
    let server = TestServer::start().await;
    people(&server).await;
    bring(
        &server,
        &[
            rule("Mail", "Correlation", "email eq \"{account.name}@example.com\" and status eq \"Active\""),
            rule(
                "Badge",
                "Correlation",
                "attributes.badge eq \"{account.attributes.costCentre}\" and not (department eq \"{account.type}\")",
            ),
        ],
    )
    .await;
    let mut body = log_ins("Doors", &[]);
    body["correlation"] =
        json!([{"rule": "Mail"}, {"rule": "Badge"}, {"account": "employeeId", "identity": "employeeId"}]);
    let doors = server.create(body).await;
    let rows = feed(&[
        "a,ANN,,2,,,,",           // found by the first rule, whatever the others would say
        "b,bob,,2,,,,",           // not active: the third finds him
        "c,shared,,,sales,,,B-3", // two have that address; one of them isn't in Sales
        "d,shared,,,,,,b-3",      // without a type nothing is compared with it
        "e,\"x\"\" or email pr or email eq \"\"ann\",,,,,,",
        "f,,,,,,,",
    ]);
    let parts = || vec![(file_group(&doors, "accounts"), "accounts.csv".to_owned(), rows.clone().into_bytes())];
    let preview = server.client.upload_to("/api/application-imports/upload?preview=true", id(&doors), parts()).await;
    let preview = server.ended(&preview.json).await;
    let import = server.import(&doors, "accounts", &rows).await;
    assert_eq!((&import["status"], &import["metrics"]), (&json!("Finished"), &preview["metrics"]), "{import}");
    assert_eq!(import["metrics"]["uncorrelatedAccounts"], 3);
    let mut changes = Vec::new();
    for import in [&preview, &import] {
        let all = server.items(&format!("/api/application-imports/{}/changes", id(import))).await;
        let correlated = all.into_iter().filter(|change| change["action"] == "Correlated");
        let mut told: Vec<(String, Value)> =
            correlated.map(|change| (change["key"].as_str().unwrap().to_owned(), change["after"].clone())).collect();
        told.sort_by_key(|(key, _)| key.clone());
        changes.push(told);
    }
    assert_eq!(changes[0], changes[1]);
    assert_eq!((&changes[0][0].1["rule"], &changes[0][0].1["accountField"]), (&json!("Mail"), &Value::Null));
    let expected = [
        ("a", json!("rule Mail")),
        ("b", json!("employeeId = employeeId")),
        ("c", json!("rule Badge")),
        ("d", Value::Null),
        ("e", Value::Null),
        ("f", Value::Null),
    ];
    assert_eq!(owners(&server, &doors).await, expected.map(|(key, by)| (key.to_owned(), by)));
    let first = &accounts(&server, &doors).await[0];
    let detail = server.client.get(&format!("/api/accounts/{}", id(first))).await.json;
    assert_eq!(detail["correlation"], json!({"kind": "namedRule", "rule": "Mail"}));
    assert_eq!(detail["identity"]["displayName"], "ann");
    let events = server.client.get("/api/events?eventType=AccountCorrelated").await.json;
    let mut by: Vec<Value> =
        events["items"].as_array().unwrap().iter().map(|event| event["data"]["rule"].clone()).collect();
    by.sort_by_key(ToString::to_string);
    assert_eq!(by, [json!("Badge"), json!("Mail"), Value::Null]);
    let before = server.head().await;
    server.import(&doors, "accounts", &rows).await;
    assert_eq!(server.events_after(before, &["account"]).await, 0, "the same feed again changes nothing");
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_changed_rule_takes_effect_at_the_next_import_and_people_are_seen_as_they_will_be() {
    let server = TestServer::start().await;
    let mail =
        |status: &str| rule("Mail", "Correlation", &format!("key eq \"{{account.key}}\" and status eq \"{status}\""));
    let long = |script: &str| rule("Rows", "Validation", script);
    bring(&server, &[mail("Active"), long("key pr")]).await;
    let mut accounts_group = group("accounts", &["key", "name"]);
    accounts_group["rules"] = json!(["Rows"]);
    let mut people = group("identities", &["key", "displayName", "status"]);
    people["isRequired"] = json!(false);
    let mut body = application("HR", &[people, accounts_group]);
    body["correlation"] = json!([{"rule": "Mail"}]);
    body["removalLimit"] = json!(100);
    let hr = server.create(body).await;
    let of = |state: &str| format!("key,displayName,status\nann,Ann,{state}\nbob,Bob,Active\n");
    let rows = "key,name\nann,A\nbob,B\n";
    // People and accounts of one import: who they will be is what counts, not who they were.
    for (state, owner) in [("Active", json!("rule Mail")), ("Disabled", Value::Null), ("Active", json!("rule Mail"))] {
        let import = server.import_all(&hr, &[("identities", &of(state)), ("accounts", rows)]).await;
        assert_eq!(import["status"], "Finished", "{import}");
        assert_eq!(owners(&server, &hr).await[0], ("ann".to_owned(), owner));
    }
    // Who is named no more is Removed.
    server.import_all(&hr, &[("identities", "key,displayName,status\nbob,Bob,Active\n"), ("accounts", rows)]).await;
    assert_eq!(owners(&server, &hr).await[0].1, Value::Null);
    bring(&server, &[mail("Removed"), long("name ne \"b\"")]).await;
    let import = server.import(&hr, "accounts", rows).await;
    assert_eq!(server.issues(&import).await, ["3 rule_not_satisfied"]);
    assert_eq!(
        owners(&server, &hr).await,
        [("ann".to_owned(), json!("rule Mail")), ("bob".to_owned(), json!("rule Mail"))]
    );
    bring(&server, &[mail("Removed"), long("key pr")]).await;
    server.import(&hr, "accounts", rows).await;
    assert_eq!(owners(&server, &hr).await[1], ("bob".to_owned(), Value::Null));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_released_account_belongs_to_whom_the_rule_finds_unless_that_is_gone() {
    let server = TestServer::start().await;
    people(&server).await;
    let mail = rule("Mail", "Correlation", "email eq \"{account.name}@example.com\" and department eq \"Sales\"");
    bring(&server, &[mail]).await;
    let mut body = log_ins("Doors", &[]);
    body["correlation"] = json!([{"rule": "Mail"}]);
    let doors = server.create(body).await;
    server.import(&doors, "accounts", &feed(&["a,ann,,,,,,"])).await;
    let all = accounts(&server, &doors).await;
    let path = format!("/api/accounts/{}", id(&all[0]));
    let bob =
        server.items("/api/identities").await.into_iter().find(|person| person["emailAddress"] == "bob@example.com");
    let link = json!({"identityId": id(&bob.unwrap())});
    let assigned = server.client.post(&format!("{path}/identity"), link.clone()).await;
    assert_eq!(assigned.status, 200, "{}", assigned.text);
    let released = server.client.delete(&format!("{path}/identity")).await;
    assert_eq!((released.status, &released.json["identityId"]), (200, &all[0]["identityId"]), "{}", released.text);
    assert_eq!(released.json["correlation"], json!({"kind": "namedRule", "rule": "Mail"}));
    server.client.post(&format!("{path}/identity"), link).await;
    bring(&server, &[rule("Mail", "Correlation", "email pr")]).await;
    let before = server.head().await;
    let refused = server.client.delete(&format!("{path}/identity")).await;
    assert_eq!((refused.status, &refused.json["error"]), (422, &json!("unprocessable_entity")));
    let message = refused.json["message"].as_str().unwrap();
    assert!(message.starts_with("correlation: the rule \"Mail\" can't be executed here: "), "{message}");
    assert_eq!(server.head().await, before);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn accounts_that_only_grants_name_are_found_by_a_rule_about_their_keys() {
    let server = TestServer::start().await;
    people(&server).await;
    bring(&server, &[rule("Key", "Correlation", "email eq \"{account.key}@example.com\" and status ne \"Removed\"")])
        .await;
    let mut body = crate::support::bodies::grants_only("Payroll");
    body["correlation"] = json!([{"rule": "Key"}]);
    let payroll = server.create(body).await;
    server.import(&payroll, "grants", "user,permission\nANN,read\nshared,read\n").await;
    let expected = [("ANN".to_owned(), json!("rule Key")), ("shared".to_owned(), Value::Null)];
    assert_eq!(owners(&server, &payroll).await, expected);
    server.stop().await;
}

#[tokio::test]
async fn what_names_a_rule_wrongly_is_refused_with_the_place() {
    let server = TestServer::start().await;
    let before = server.head().await;
    let mut body = log_ins("Doors", &["a", "", "a"]);
    body["correlation"] = json!([{"rule": ""}]);
    let answer = server.client.post("/api/applications", body).await;
    let told: Vec<(&str, &str)> = answer.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["field"].as_str().unwrap(), error["message"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("connector.fileGroups[0].rules[1]", "Rule name is required"),
            ("connector.fileGroups[0].rules[2]", "The rule \"a\" is named twice"),
            ("correlation[0].rule", "Rule name is required"),
        ]
    );
    for wrong in
        [json!([{"rule": "a", "account": "key"}]), json!([{"account": "key"}]), json!([{"rules": "a"}]), json!([7])]
    {
        let mut body = log_ins("Doors", &[]);
        body["correlation"] = wrong.clone();
        let answer = server.client.post("/api/applications", body).await;
        assert_eq!(
            (answer.status, &answer.json["error"]),
            (400, &json!("validation_error")),
            "{wrong}: {}",
            answer.text
        );
        assert!(answer.text.contains("correlation[0]"), "{}", answer.text);
    }
    for wrong in [json!("a"), json!([7]), json!({"named": "a"}), Value::Null] {
        let mut body = log_ins("Doors", &[]);
        body["connector"]["fileGroups"][0]["rules"] = wrong.clone();
        let answer = server.client.post("/api/applications", body).await;
        assert_eq!(
            (answer.status, &answer.json["error"]),
            (400, &json!("validation_error")),
            "{wrong}: {}",
            answer.text
        );
    }
    assert_eq!(server.head().await, before);
    server.stop().await;
}
