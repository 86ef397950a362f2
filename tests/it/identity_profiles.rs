//! Identity profiles and the schema of identities, imported as configuration and followed by feeds.

use serde_json::{Value, json};

use crate::support::bodies::{application, group};
use crate::support::configuration::{file, object};
use crate::support::{TestServer, file_group, id};

const IMPORT: &str = "/sp-config/import";

/// What is said of people, in columns of its own.
const FEED: &str = "id,E-Mail,Given,Family,chief,grade,since,remote,office\n\
                    1,ANN@EXAMPLE.COM,ann,keller,,07,2020-02-01,yes,Zurich\n\
                    2,bob@example.com,bob,ziegler,1,3,2021-05-06,no,Bern\n";

/// An identity source whose file group says little itself.
fn hr(name: &str) -> Value {
    let mut body = application(name, &[group("identities", &["key", "email", "office"])]);
    body["connector"]["fileGroups"][0]["columns"]["key"] = json!("id");
    body["connector"]["fileGroups"][0]["columns"]["email"] = json!("office");
    body
}

fn column(name: &str) -> Value {
    json!({"type": "accountAttribute", "attributes": {
        "sourceName": "HR", "attributeName": name, "sourceId": "2c9180877a826e68017a8c0b03da1a53"
    }})
}

fn reference(name: &str, input: &Value) -> Value {
    json!({"type": "reference", "attributes": {"id": name, "input": input}})
}

/// A profile as SailPoint exports it, with everything that has no effect here.
#[expect(clippy::needless_pass_by_value, reason = "shorter for all who call it")]
fn profile(id: &str, name: &str, priority: Value, attributes: &[(&str, Value)]) -> Value {
    let attributes: Vec<Value> = attributes
        .iter()
        .map(|(name, made)| json!({"identityAttributeName": name, "transformDefinition": made}))
        .collect();
    let content = json!({
        "id": id, "name": name, "created": "2021-05-10T15:19:23.425Z", "modified": "2022-05-10T15:19:23.425Z",
        "description": null, "owner": null, "priority": priority,
        "authoritativeSource": {"type": "SOURCE", "id": "2c9180877a826e68017a8c0b03da1a53", "name": "HR"},
        "identityRefreshRequired": false, "identityCount": 1,
        "identityAttributeConfig": {"enabled": true, "attributeTransforms": attributes},
        "identityExceptionReportReference": null, "hasTimeBasedAttr": true,
    });
    object("IDENTITY_PROFILE", id, name, content)
}

/// The attributes of the profile that most tests have.
fn usual() -> Vec<(&'static str, Value)> {
    let join = json!({"type": "concat", "attributes": {"values": [
        reference("Proper", &column("Given")), " ", reference("Proper", &column("Family"))
    ]}});
    vec![
        ("uid", column("id")),
        ("email", reference("Lower", &column("E-Mail"))),
        ("firstname", reference("Proper", &column("Given"))),
        ("lastname", reference("Proper", &column("Family"))),
        ("displayName", join),
        ("manager", column("chief")),
        ("grade", column("grade")),
        ("startDate", column("since")),
        ("isRemote", column("remote")),
    ]
}

/// `Lower`, and `Proper`, which makes a first letter big by way of others.
fn transforms() -> Vec<Value> {
    let head = json!({"type": "substring", "attributes": {"begin": 0, "end": 1}});
    let tail = json!({"type": "substring", "attributes": {"begin": 1, "end": -1}});
    let proper =
        json!({"type": "concat", "attributes": {"values": [reference("Upper", &head), tail]}, "internal": false});
    [("Proper", proper), ("Lower", json!({"type": "lower"})), ("Upper", json!({"type": "upper", "attributes": {}}))]
        .into_iter()
        .map(|(name, said)| object("TRANSFORM", &format!("t-{name}"), name, said))
        .collect()
}

/// A schema as SailPoint has it.
fn schema(attributes: &[(&str, &str)]) -> Value {
    let attributes: Vec<Value> = attributes
        .iter()
        .map(|(name, r#type)| {
            json!({
                "name": name, "displayName": format!("The {name}"), "standard": false, "type": r#type, "multi": false,
                "searchable": true, "system": false, "sources": [{"type": "rule", "properties": {
                    "ruleType": "IdentityAttribute", "ruleName": "Cloud Promote Identity Attribute"
                }}]
            })
        })
        .collect();
    object("IDENTITY_OBJECT_CONFIG", "schema-1", "Identity", json!({"attributes": attributes}))
}

fn usual_schema() -> Value {
    schema(&[
        ("uid", "string"),
        ("firstname", "string"),
        ("grade", "int"),
        ("startDate", "date"),
        ("isRemote", "boolean"),
    ])
}

fn usual_file() -> Value {
    let mut objects = transforms();
    objects.extend([usual_schema(), profile("p-1", "Staff", json!(10), &usual())]);
    file(&objects)
}

async fn import_config(server: &TestServer, objects: &[Value]) -> Value {
    let (job, results) = server.import_config(IMPORT, &file(objects), None).await;
    assert_eq!(job["status"], "COMPLETE", "{results}");
    results
}

/// What was told of objects of a type that aren't, or not wholly, followed.
fn told(results: &Value, kind: &str) -> Vec<String> {
    let infos = results["results"][kind]["infos"].as_array().unwrap();
    let told = infos.iter().filter(|info| info["key"] == "NOT_EXECUTABLE");
    told.map(|info| info["text"].as_str().unwrap().to_owned()).collect()
}

/// Of each person these fields, by office.
async fn people(server: &TestServer, fields: &[&str]) -> Vec<Value> {
    let mut all = server.items("/api/identities").await;
    all.sort_by_key(|person| person["office"].to_string());
    all.iter().map(|person| fields.iter().map(|field| person[field].clone()).collect()).collect()
}

#[tokio::test]
async fn a_profile_makes_the_fields_that_it_names_and_leaves_the_others_to_the_columns() {
    let server = TestServer::start().await;
    let app = server.create(hr("HR")).await;
    server.import(&app, "identities", FEED).await;
    let fields = ["emailAddress", "firstName", "displayName", "supervisorName", "attributes"];
    let plain = json!(["Bern", null, null, null, {}]);
    assert_eq!(people(&server, &fields).await[0], plain, "without a profile the columns say everything");
    let (job, results) = server.import_config(IMPORT, &usual_file(), None).await;
    assert_eq!(job["status"], "COMPLETE", "{results}");
    assert_eq!(told(&results, "IDENTITY_PROFILE"), Vec::<String>::new());
    assert_eq!(people(&server, &fields).await[0], plain, "nothing changes before the next import");
    let import = server.import(&app, "identities", FEED).await;
    assert_eq!(import["metrics"]["identities"]["changed"], 2, "{import}");
    let attributes =
        |uid, grade, start, remote| json!({"uid": uid, "grade": grade, "startDate": start, "isRemote": remote});
    let expected = [
        json!([
            "bob@example.com",
            "Bob",
            "Bob Ziegler",
            "Keller, Ann",
            attributes("2", "3", "2021-05-06T00:00:00Z", "false")
        ]),
        json!(["ann@example.com", "Ann", "Ann Keller", null, attributes("1", "7", "2020-02-01T00:00:00Z", "true")]),
    ];
    assert_eq!(people(&server, &fields).await, expected);
    let made = "Identity profile \"Staff\" made displayName, email, firstName, grade, isRemote, lastName, startDate, supervisor, uid";
    assert_eq!(import["log"], made);
    let before = server.head().await;
    server.import(&app, "identities", FEED).await;
    assert_eq!(server.events_after(before, &["identity"]).await, 0, "the same feed again is no news");
    // Another profile takes effect with the next import; what it doesn't name any more is the column's again.
    let changed = profile("p-1", "Staff", json!(10), &[("displayName", column("Family"))]);
    import_config(&server, &[changed]).await;
    server.import(&app, "identities", FEED).await;
    assert_eq!(people(&server, &fields).await[0], json!(["Bern", null, "ziegler", null, {}]));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_profile_is_of_its_own_source_only_and_of_none_when_it_is_switched_off() {
    let server = TestServer::start().await;
    let (own, other) = (server.create(hr("HR")).await, server.create(hr("Elsewhere")).await);
    let (_, results) = server.import_config(IMPORT, &usual_file(), None).await;
    let name = format!("[id: {}, name: HR]", id(&own));
    let infos = results["results"]["IDENTITY_PROFILE"]["infos"].to_string();
    assert!(infos.contains(&format!("resolved by name to {name}")), "{infos}");
    server.import(&other, "identities", FEED).await;
    assert_eq!(people(&server, &["emailAddress", "firstName"]).await[0], json!(["Bern", null]));
    let mut off = profile("p-1", "Staff", json!(10), &usual());
    off["object"]["identityAttributeConfig"]["enabled"] = json!(false);
    let results = import_config(&server, &[off]).await;
    let expected =
        "IDENTITY_PROFILE \"Staff\" is kept, but not executed here: identityAttributeConfig.enabled is false";
    assert_eq!(told(&results, "IDENTITY_PROFILE"), [expected]);
    let import = server.import(&own, "identities", FEED).await;
    assert_eq!(import["log"], Value::Null);
    server.stop().await;
}

#[tokio::test]
async fn of_two_profiles_of_a_source_one_is_followed_and_the_other_told() {
    let server = TestServer::start().await;
    let app = server.create(hr("HR")).await;
    let of = |id: &str, name: &str, priority: i64, field: &str| {
        profile(id, name, json!(priority), &[(field, column("Family"))])
    };
    let results = import_config(&server, &[of("1", "Late", 20, "title"), of("2", "Early", 10, "company")]).await;
    let expected = "IDENTITY_PROFILE \"Late\" is kept, but not executed here: for \"HR\" the profile \"Early\" is followed, \
                    whose priority comes first";
    assert_eq!(told(&results, "IDENTITY_PROFILE"), [expected]);
    server.import(&app, "identities", FEED).await;
    assert_eq!(people(&server, &["title", "company"]).await[0], json!([null, "ziegler"]));
    let results = import_config(&server, &[of("1", "Late", 5, "title")]).await;
    assert_eq!(told(&results, "IDENTITY_PROFILE"), Vec::<String>::new());
    server.import(&app, "identities", FEED).await;
    assert_eq!(people(&server, &["title", "company"]).await[0], json!(["ziegler", null]));
    server.stop().await;
}

#[tokio::test]
async fn what_of_a_profile_cannot_be_executed_is_told_and_costs_no_other_field() {
    let server = TestServer::start().await;
    let app = server.create(hr("HR")).await;
    server.create(hr("AD")).await;
    let rule = json!({"type": "rule", "attributes": {"name": "Cloud Promote Identity Attribute"}});
    let of_ad = json!({"type": "accountAttribute", "attributes": {"sourceName": "AD", "attributeName": "mail"}});
    let staff = profile(
        "p-1",
        "Staff",
        json!(10),
        &[
            ("uid", rule),
            ("email", of_ad),
            ("badge", column("grade")),
            ("title", reference("Nobody", &column("grade"))),
            ("company", column("Family")),
        ],
    );
    let results = import_config(&server, &[schema(&[("uid", "string"), ("odd", "money")]), staff]).await;
    let told_of = |kind: &str| -> Vec<String> {
        let cut =
            |text: String| text.split(" is kept, but this in it is not executed here: ").nth(1).unwrap().to_owned();
        told(&results, kind).into_iter().map(cut).collect()
    };
    let at = |at: usize, told: &str| format!("identityAttributeConfig.attributeTransforms[{at}].{told}");
    let expected = [
        "transformDefinition: It reads accounts of \"AD\"; only those of \"HR\", whose people the profile makes, are there",
        "identityAttributeName: The schema of identities has no attribute \"badge\"",
        "transformDefinition.attributes.id: There is no transform \"Nobody\"",
    ];
    let of_profile = told_of("IDENTITY_PROFILE");
    assert!(of_profile[0].starts_with(&at(0, "transformDefinition.type: rule is not executed here")), "{of_profile:?}");
    assert_eq!(of_profile[1..], [at(1, expected[0]), at(2, expected[1]), at(3, expected[2])]);
    assert!(told_of("IDENTITY_OBJECT_CONFIG")[0].starts_with("attributes[1].type: \"money\" is not known"));
    let import = server.import(&app, "identities", FEED).await;
    let log: Vec<&str> = import["log"].as_str().unwrap().lines().collect();
    assert_eq!(log[0], "Identity profile \"Staff\" made company");
    assert_eq!(log[2], format!("Of identity profile \"Staff\" this is not executed: {}", at(1, expected[0])));
    assert_eq!(log.len(), 5, "{log:?}");
    let fields = ["emailAddress", "company", "title", "attributes"];
    assert_eq!(people(&server, &fields).await[0], json!(["Bern", "ziegler", null, {}]));
    server.stop().await;
}

#[tokio::test]
async fn profiles_and_schemas_that_mean_nothing_here_are_kept_and_told() {
    let server = TestServer::start().await;
    server.create(crate::support::bodies::grants_only("HR")).await;
    let mut broken = profile("p-2", "Broken", json!("first"), &[]);
    broken["object"]["authoritativeSource"] = json!({"type": "SOURCE", "name": "HR"});
    let objects = [
        object("IDENTITY_OBJECT_CONFIG", "s", "Identity", json!({"attributes": {"name": "uid"}})),
        broken,
        profile("p-1", "Staff", json!(10), &usual()),
    ];
    let results = import_config(&server, &objects).await;
    let kept = |kind: &str, name: &str, why: &str| format!("{kind} {name:?} is kept, but not executed here: {why}");
    let expected = [
        kept("IDENTITY_PROFILE", "Broken", "priority: \"first\" is no whole number"),
        kept("IDENTITY_PROFILE", "Staff", "authoritativeSource: the application \"HR\" reads no file of identities"),
    ];
    assert_eq!(told(&results, "IDENTITY_PROFILE"), expected);
    let expected = kept("IDENTITY_OBJECT_CONFIG", "Identity", "attributes: An array of attributes is required");
    assert_eq!(told(&results, "IDENTITY_OBJECT_CONFIG"), [expected]);
    let exported = server.export_config(json!({"includeTypes": ["IDENTITY_OBJECT_CONFIG"]})).await;
    assert_eq!(exported["objects"], json!([objects[0]]));
    server.stop().await;
}

#[tokio::test]
async fn references_are_followed_among_the_file_and_what_is_known_and_told_when_they_lead_nowhere() {
    let server = TestServer::start().await;
    let mut body = hr("HR");
    body["connector"]["fileGroups"][0]["columns"]["title"] =
        json!({"column": "Family", "transforms": [{"named": "Outer"}]});
    let app = server.create(body).await;
    let transform = |name: &str, said: Value| object("TRANSFORM", &format!("t-{name}"), name, said);
    let to = |name: &str| json!({"type": "reference", "attributes": {"id": name}});
    import_config(&server, &[transform("Inner", json!({"type": "upper"}))]).await;
    let objects = [
        transform("Outer", to("Middle")),
        transform("Middle", json!({"type": "substring", "attributes": {"begin": 0, "end": 3, "input": to("Inner")}})),
        transform("Lost", to("Nobody")),
        transform("Chicken", to("Egg")),
        transform("Egg", to("Chicken")),
    ];
    let results = import_config(&server, &objects).await;
    let kept =
        |name: &str, why: &str| format!("TRANSFORM {name:?} is kept, but not executed here: attributes.id: {why}");
    assert_eq!(
        told(&results, "TRANSFORM"),
        [
            kept("Lost", "There is no transform \"Nobody\""),
            kept("Chicken", "The transform \"Egg\" leads into a circle of references"),
            kept("Egg", "The transform \"Chicken\" leads into a circle of references"),
        ]
    );
    server.import(&app, "identities", FEED).await;
    assert_eq!(people(&server, &["title"]).await, [json!(["ZIE"]), json!(["KEL"])]);
    // What it refers to changes, and it with that; when that can't be executed, neither can it.
    import_config(&server, &[transform("Inner", json!({"type": "lower"}))]).await;
    server.import(&app, "identities", FEED).await;
    assert_eq!(people(&server, &["title"]).await, [json!(["zie"]), json!(["kel"])]);
    import_config(&server, &[transform("Inner", json!({"type": "rule"}))]).await;
    let failed = server.import(&app, "identities", FEED).await;
    assert_eq!(failed["status"], "Failed");
    let log = "Field title of identities: there is no transform \"Outer\" that can be executed; nothing was applied";
    assert_eq!(failed["log"], log);
    server.stop().await;
}

#[tokio::test]
async fn a_value_that_is_not_of_its_attributes_type_is_an_issue_and_what_is_known_stays() {
    let server = TestServer::start().await;
    let mut body = hr("HR");
    body["connector"]["fileGroups"][0]["columns"] = json!({"key": "id", "office": "office", "grade": "grade", "startDate": "since", "isRemote": "remote", "extra": "Given"});
    let app = server.create(body).await;
    import_config(&server, &[usual_schema()]).await;
    let import = server.import(&app, "identities", FEED).await;
    assert_eq!(import["log"], "identities.csv has what the schema of identities doesn't name: extra");
    let known = people(&server, &["attributes"]).await;
    let expected = json!({"grade": "3", "startDate": "2021-05-06T00:00:00Z", "isRemote": "false", "extra": "bob"});
    assert_eq!(known[0][0], expected);
    let feed = "id,E-Mail,Given,Family,chief,grade,since,remote,office\n\
                1,,ann,,,high,2020-02-30,perhaps,Zurich\n\
                2,,bob,,,4,,no,Bern\n";
    let import = server.import(&app, "identities", feed).await;
    assert_eq!(import["metrics"]["rowsRejected"], 1);
    assert_eq!(server.issues(&import).await, ["2 not_an_integer", "2 not_a_boolean", "2 not_a_date"]);
    let issues = server.items(&format!("/api/application-imports/{}/issues", id(&import))).await;
    assert_eq!((&issues[0]["column"], &issues[0]["value"]), (&json!("grade"), &json!("high")));
    assert_eq!(issues[0]["message"], "grade is not a whole number");
    assert!(issues[0]["allowed"].as_str().unwrap().starts_with("a whole number from"));
    let after = people(&server, &["attributes"]).await;
    assert_eq!(after[1], known[1], "her row was left out, and what is known of her stays");
    assert_eq!(after[0][0], json!({"grade": "4", "isRemote": "false", "extra": "bob"}));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn several_values_are_each_of_the_type_where_the_schema_allows_several() {
    let server = TestServer::start().await;
    let mut body = hr("HR");
    body["connector"]["fileGroups"][0]["format"] = json!("json");
    body["connector"]["fileGroups"][0]["columns"] =
        json!({"key": "id", "office": "office", "levels": "levels", "level": "level"});
    let app = server.create(body).await;
    let mut several = schema(&[("levels", "int"), ("level", "int")]);
    several["object"]["attributes"][0]["multi"] = json!(true);
    import_config(&server, &[several]).await;
    let rows = json!([
        {"id": 1, "office": "Bern", "levels": ["01", 2], "level": 3},
        {"id": 2, "office": "Thun", "levels": [1, "x"]},
        {"id": 3, "office": "Visp", "level": [1, 2]},
    ]);
    let import = server.import_bytes(&app, "identities", rows.to_string()).await;
    assert_eq!(server.issues(&import).await, ["3 not_an_integer", "4 not_an_integer"]);
    assert_eq!(people(&server, &["attributes"]).await, [json!([{"levels": "1, 2", "level": "3"}])]);
    server.stop().await;
}

#[tokio::test]
async fn there_is_one_schema_whatever_it_is_called() {
    let server = TestServer::start().await;
    let called = |id: &str, name: &str, attribute: &str| {
        object("IDENTITY_OBJECT_CONFIG", id, name, json!({"attributes": [{"name": attribute}]}))
    };
    import_config(&server, &[called("1", "one", "a")]).await;
    let results = import_config(&server, &[called("2", "two", "b")]).await;
    let imported = json!([{"type": "IDENTITY_OBJECT_CONFIG", "id": "1", "name": "two"}]);
    assert_eq!(results["results"]["IDENTITY_OBJECT_CONFIG"]["importedObjects"], imported);
    assert_eq!(server.export_config(json!({})).await["objects"], json!([called("1", "two", "b")]));
    let empty = TestServer::start().await;
    for server in [&server, &empty] {
        let two = file(&[called("3", "three", "c"), called("4", "four", "d")]);
        let (job, results) = server.import_config(IMPORT, &two, None).await;
        assert_eq!(job["status"], "FAILED");
        let errors = results["results"]["IDENTITY_OBJECT_CONFIG"]["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 2);
        let why = "the file has 2 objects of this type that mean the same one here";
        assert!(errors.iter().all(|error| error["text"].as_str().unwrap().ends_with(why)), "{errors:?}");
    }
    assert_eq!(empty.export_config(json!({})).await["objects"], json!([]));
    assert_eq!(server.export_config(json!({})).await["objects"], json!([called("1", "two", "b")]));
    server.assert_verified().await;
    server.stop().await;
    empty.stop().await;
}

#[tokio::test]
async fn a_preview_says_what_the_profile_makes_and_rejects_have_what_it_reads() {
    let server = TestServer::start().await;
    let mut body = hr("HR");
    body["connector"]["fileGroups"][0]["format"] = json!("ndjson");
    let app = server.create(body).await;
    let (job, _) = server.import_config(IMPORT, &usual_file(), None).await;
    assert_eq!(job["status"], "COMPLETE");
    let rows = "{\"id\":1,\"E-Mail\":\"ANN@example.com\",\"Given\":\"ann\",\"grade\":4,\"office\":\"Bern\"}\n\
                {\"id\":2,\"E-Mail\":\"bob@example.com\",\"Given\":\"bob\",\"grade\":\"many\",\"office\":\"Thun\"}\n";
    let parts = || vec![(file_group(&app, "identities"), "people.ndjson".to_owned(), rows.as_bytes().to_vec())];
    let path = "/api/application-imports/upload?preview=true";
    let preview = server.client.upload_to(path, id(&app), parts()).await;
    let preview = server.ended(&preview.json).await;
    assert_eq!(people(&server, &[]).await, Vec::<Value>::new());
    let import = server.ended(&server.client.upload(id(&app), parts()).await.json).await;
    let changes =
        async |import: &Value| server.items(&format!("/api/application-imports/{}/changes", id(import))).await;
    let made = changes(&import).await;
    assert_eq!(changes(&preview).await, made);
    assert_eq!(preview["metrics"], import["metrics"]);
    assert_eq!(made[0]["after"]["email"], "ann@example.com");
    assert_eq!(server.issues(&import).await, ["3 not_an_integer"]);
    for import in [&preview, &import] {
        let rejects = server.client.get(&format!("/api/application-imports/{}/rejects", id(import))).await;
        assert_eq!(rejects.status, 200);
        let row: Value = serde_json::from_str(&rejects.text).unwrap();
        assert_eq!((&row["E-Mail"], &row["grade"]), (&json!("bob@example.com"), &json!("many")), "{}", rejects.text);
    }
    server.stop().await;
}

#[tokio::test]
async fn another_server_gets_the_same_bytes_and_makes_the_same_people() {
    let (here, there) = (TestServer::start().await, TestServer::start().await);
    let app = here.create(hr("HR")).await;
    let (job, _) = here.import_config(IMPORT, &usual_file(), None).await;
    assert_eq!(job["status"], "COMPLETE");
    let exported = here.export_config(json!({})).await;
    let (job, results) = there.import_config(IMPORT, &exported, None).await;
    assert_eq!(job["status"], "COMPLETE", "{results}");
    for kind in ["IDENTITY_OBJECT_CONFIG", "IDENTITY_PROFILE", "TRANSFORM"] {
        assert_eq!(told(&results, kind), Vec::<String>::new());
    }
    let again = there.export_config(json!({})).await;
    assert_eq!(again["objects"].to_string(), exported["objects"].to_string());
    let fields = ["emailAddress", "displayName", "employeeId", "attributes"];
    for server in [&here, &there] {
        server.import(&app, "identities", FEED).await;
    }
    let made = people(&here, &fields).await;
    assert_eq!(made[0][1], "Bob Ziegler");
    assert_eq!(people(&there, &fields).await, made);
    for server in [here, there] {
        server.assert_verified().await;
        server.stop().await;
    }
}

#[tokio::test]
async fn what_another_system_exported_leaves_as_it_came() {
    let server = TestServer::start().await;
    let source = json!({"name": "HR", "description": null, "type": "Workday", "connector": "workday-angularsc"});
    let mut objects = vec![usual_schema(), profile("p-1", "Staff", json!(10), &usual())];
    objects.push(object("SOURCE", "2c9180877a826e68017a8c0b03da1a53", "HR", source));
    objects.extend(transforms());
    objects.sort_by_key(|entry| (entry["self"]["type"].to_string(), entry["self"]["name"].to_string()));
    let results = import_config(&server, &objects).await;
    let why = "authoritativeSource: the application \"HR\" reads no file of identities";
    assert!(told(&results, "IDENTITY_PROFILE")[0].ends_with(why), "{results}");
    let exported = server.export_config(json!({})).await["objects"].to_string();
    assert_eq!(exported, json!(objects).to_string());
    // Once the application reads files, its people are made by it.
    let app = server.items("/api/applications").await.remove(0);
    let path = format!("/api/applications/{}", id(&app));
    assert_eq!(server.client.put(&path, hr("HR")).await.status, 200);
    let app = server.client.get(&path).await.json;
    server.import(&app, "identities", FEED).await;
    assert_eq!(people(&server, &["displayName"]).await, [json!(["Bob Ziegler"]), json!(["Ann Keller"])]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn people_can_see_which_attributes_there_are() {
    let server = TestServer::start().await;
    let attributes = async || {
        let answer = server.client.get("/api/identities/schema").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json["attributes"].as_array().unwrap().clone()
    };
    let known = attributes().await;
    assert_eq!(known.len(), 17);
    assert!(known.iter().all(|attribute| attribute["isCustom"] == false && attribute["displayName"] == Value::Null));
    let types = |all: &[Value], kind: &str| -> Vec<String> {
        let of_type = all.iter().filter(|attribute| attribute["type"] == kind);
        of_type.map(|attribute| attribute["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(types(&known, "date"), ["createdDate", "updatedDate", "inactivatedDate"]);
    assert_eq!(types(&known, "identity"), ["supervisor"]);
    import_config(&server, &[usual_schema()]).await;
    let all = attributes().await;
    assert_eq!(
        all[1],
        json!({
            "name": "firstName", "displayName": "The firstname", "type": "string", "isMultiValued": false, "isCustom": false
        })
    );
    let grade =
        json!({"name": "grade", "displayName": "The grade", "type": "int", "isMultiValued": false, "isCustom": true});
    assert_eq!(all[17], grade);
    let custom: Vec<&str> = all[17..].iter().map(|attribute| attribute["name"].as_str().unwrap()).collect();
    assert_eq!(custom, ["grade", "isRemote", "startDate", "uid"]);
    server.stop().await;
}
