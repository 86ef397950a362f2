//! Kills while a certification records its rows and while its automations run: what was begun is finished, once.

use std::fmt::Write;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};

use crate::support::hold::Hold;
use crate::support::people::{House, LOGINS};
use crate::support::process::{Folder, Place, Serving, succeed, wait_until};
use crate::support::reviews::{AWF, automation, rows, workflow};
use crate::support::{Client, bodies, cluster, file_group, id};

const PEOPLE: usize = 1_200;
const RIGHTS: usize = 5;
/// Twelve blocks.
const ROWS: i64 = (PEOPLE * RIGHTS) as i64;

/// A house of many people with a right each of five, and a workflow whose automations reject the first right and accept the others.
async fn many(client: &Client) -> String {
    let (mut people, mut logins, mut rights) =
        ("key,first,email\n".to_owned(), "login,mail\n".to_owned(), "login,right\n".to_owned());
    for number in 0..PEOPLE {
        let _ = writeln!(people, "p{number},First {number},p{number}@example.com");
        let _ = writeln!(logins, "login{number},p{number}@example.com");
        for right in 0..RIGHTS {
            let _ = writeln!(rights, "login{number},right {right}");
        }
    }
    let columns = json!({"key": "key", "firstName": "first", "email": "email"});
    let feed = json!({"name": "People", "content": "identities", "columns": columns});
    let hr = made(client, bodies::application("HR", &[feed])).await;
    import(client, &hr, &[("identities", people)]).await;
    let columns = json!({"key": "login", "email": "mail"});
    let feeds = [
        json!({"name": "Logins", "content": "accounts", "columns": columns}),
        json!({"name": "Rights", "content": "grants", "columns": {"account": "login", "entitlement": "right"}}),
    ];
    let ledger = made(client, bodies::application("Ledger", &feeds)).await;
    import(client, &ledger, &[("accounts", logins), ("grants", rights)]).await;
    for (name, filter, decision) in [
        ("Reject", r#"destination.name eq "right 0""#, "REJECTED"),
        ("Accept", r#"destination.name ne "right 0""#, "ACCEPTED"),
    ] {
        let body = json!({
            "name": name, "attachment_behavior": {"attach_to_new_workflows": true, "opt_in": false},
            "criteria": {"filter": filter}, "action": {"decision": decision},
        });
        automation(client, body).await;
    }
    workflow(client, json!({"name": "Quarterly", "application_ids": [id(&ledger)]})).await
}

async fn made(client: &Client, body: Value) -> Value {
    let answer = client.post("/api/applications", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json
}

async fn import(client: &Client, application: &Value, files: &[(&str, String)]) {
    let part = |(content, csv): &(&str, String)| {
        (file_group(application, content), format!("{content}.csv"), csv.clone().into_bytes())
    };
    let answer = client.upload(id(application), files.iter().map(part).collect()).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let path = format!("/api/application-imports/{}", id(&answer.json));
    wait_until("the import finishes", async || client.get(&path).await.json["status"] == "Finished").await;
}

async fn begin(client: &Client, workflow: &str) -> String {
    let answer = client.post(&format!("{AWF}/certifications"), json!({"workflow_id": workflow})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["certification_id"].as_str().unwrap().to_owned()
}

/// Makes each transaction that appends to such streams take a while, so that there is something to interrupt.
async fn slow_down(connection: &mut PgConnection, aggregate_type: &str) {
    let statements = format!(
        "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF EXISTS (SELECT FROM fresh WHERE aggregate_type = '{aggregate_type}') THEN PERFORM pg_sleep(0.3); END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER slow AFTER INSERT ON journal.events REFERENCING NEW TABLE AS fresh
             FOR EACH STATEMENT EXECUTE FUNCTION public.slow()"
    );
    connection.execute(statements.as_str()).await.unwrap();
}

async fn speed_up(connection: &mut PgConnection) {
    connection.execute("DROP TRIGGER slow ON journal.events").await.unwrap();
}

async fn events(connection: &mut PgConnection, event_type: &str) -> i64 {
    let count = "SELECT count(*) FROM journal.events WHERE event_type = $1";
    sqlx::query_scalar(count).bind(event_type).fetch_one(connection).await.unwrap()
}

/// Waits until some of these are recorded; fails when all already are.
async fn amid(connection: &mut PgConnection, event_type: &str) {
    wait_until("it is amid its work", async || events(connection, event_type).await >= 3).await;
    let count = events(connection, event_type).await;
    assert!(count < ROWS / 500, "it was too fast to be interrupted");
}

async fn finished(client: &Client, certification: &str) -> Value {
    let path = format!("{AWF}/certifications/{certification}/automation_runs");
    wait_until("the run is over", async || {
        let run = client.get(&path).await.json["values"][0].clone();
        run.is_object() && run["status"] != "RUNNING"
    })
    .await;
    client.get(&path).await.json["values"][0].clone()
}

/// Every grant is a row, once, and rows are numbered without a gap.
async fn assert_all_recorded(connection: &mut PgConnection) {
    let blocks: Vec<(i32, i32)> = sqlx::query_as(
        "SELECT (payload #>> '{CertificationRowsRecorded,block}')::int,
                json_array_length(payload #> '{CertificationRowsRecorded,rows}')
         FROM journal.events WHERE event_type = 'CertificationRowsRecorded' ORDER BY 1",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    assert_eq!(blocks, (0..(ROWS / 500) as i32).map(|block| (block, 500)).collect::<Vec<_>>());
    let found: (i64, i32, i32, i64, i64) = sqlx::query_as(
        "SELECT count(*), min(result_id), max(result_id), count(DISTINCT result_id),
                count(DISTINCT (s.account_id, d.entitlement_id))
         FROM read.certification_rows AS r
         JOIN read.certification_sources AS s ON s.certification_id = r.certification_id AND s.number = r.source_number
         JOIN read.certification_destinations AS d
             ON d.certification_id = r.certification_id AND d.number = r.destination_number",
    )
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    assert_eq!(found, (ROWS, 0, ROWS as i32 - 1, ROWS, ROWS));
    assert_eq!(events(connection, "CertificationSearchCompleted").await, 1);
}

/// The run went over every row, decided each once, opened each access request once, and ended once.
async fn assert_run_once(connection: &mut PgConnection, run: &Value) {
    assert_eq!((&run["status"], &run["message"]), (&json!("COMPLETED"), &Value::Null), "{run:#}");
    let people = PEOPLE as i64;
    let expected = [("Reject", people), ("Accept", ROWS - people)];
    for (automation, (name, count)) in run["automations"].as_array().unwrap().iter().zip(expected) {
        assert_eq!(automation["name"], name);
        let found = ["matched", "changed", "conflicting", "skipped"].map(|count| automation[count].as_i64().unwrap());
        assert_eq!(found, [count, count, 0, 0]);
    }
    let decided: (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*), count(DISTINCT aggregate_id), max(sequence) FROM journal.events
         WHERE aggregate_type = 'certification_row'",
    )
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    assert_eq!(decided, (ROWS, ROWS, 1));
    assert_eq!(events(connection, "AccessRequested").await, people);
    assert_eq!(events(connection, "AutomationRunRowsDecided").await, ROWS / 500);
    assert_eq!(events(connection, "AutomationRunStarted").await, 1);
    assert_eq!(events(connection, "AutomationRunCompleted").await, 1);
    let standing: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT decision, count(*), count(DISTINCT access_request_id) FROM read.certification_rows GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    assert_eq!(standing, [("ACCEPTED".to_owned(), ROWS - people, 0), ("REJECTED".to_owned(), people, people)]);
    let counted: (i64, i64, i64) =
        sqlx::query_as("SELECT total_count, accepted_count, rejected_count FROM read.certifications")
            .fetch_one(connection)
            .await
            .unwrap();
    assert_eq!(counted, (ROWS, ROWS - people, people));
}

async fn assert_sound(place: &Place) {
    succeed(&["verify"], place, &[]).await;
    succeed(&["projections", "verify"], place, &[]).await;
}

#[tokio::test]
async fn rows_whose_recording_was_killed_are_complete_and_numbered_without_a_gap_after_the_restart() {
    let folder = Folder::new();
    let place = folder.place();
    let server = Serving::start(&place).await;
    let secret = server.first_token().await;
    let workflow = many(&server.client(&secret)).await;
    let mut connection = folder.options().connect().await.unwrap();
    slow_down(&mut connection, "certification_rows").await;
    let certification = begin(&server.client(&secret), &workflow).await;
    amid(&mut connection, "CertificationRowsRecorded").await;
    server.kill().await;
    let server = Serving::start(&place).await;
    speed_up(&mut connection).await;
    let client = server.client(&secret);
    let run = finished(&client, &certification).await;
    assert!(events(&mut connection, "CertificationSearchClaimed").await > 1, "no kill was felt");
    assert_all_recorded(&mut connection).await;
    let shown = client.get(&format!("{AWF}/certifications/{certification}")).await.json["value"].clone();
    assert_eq!((&shown["total_result_count"], &shown["completeness"]["in_scope"]), (&json!(ROWS), &json!(ROWS)));
    assert_run_once(&mut connection, &run).await;
    connection.close().await.unwrap();
    assert_sound(&place).await;
    assert!(server.terminate().await.0);
}

#[tokio::test]
async fn a_run_that_was_killed_in_the_middle_finishes_once_after_the_restart() {
    let folder = Folder::new();
    let place = folder.place();
    let mut server = Serving::start(&place).await;
    let secret = server.first_token().await;
    let workflow = many(&server.client(&secret)).await;
    let mut connection = folder.options().connect().await.unwrap();
    slow_down(&mut connection, "automation_run_rows").await;
    let certification = begin(&server.client(&secret), &workflow).await;
    amid(&mut connection, "AutomationRunRowsDecided").await;
    server.kill().await;
    server = Serving::start(&place).await;
    // And once more, as soon as it goes on.
    let before = events(&mut connection, "AutomationRunRowsDecided").await;
    wait_until("it goes on", async || events(&mut connection, "AutomationRunRowsDecided").await > before).await;
    server.kill().await;
    server = Serving::start(&place).await;
    speed_up(&mut connection).await;
    let run = finished(&server.client(&secret), &certification).await;
    assert!(events(&mut connection, "AutomationRunClaimed").await > 1, "no kill was felt");
    assert_all_recorded(&mut connection).await;
    assert_run_once(&mut connection, &run).await;
    connection.close().await.unwrap();
    assert_sound(&place).await;
    assert!(server.terminate().await.0);
}

#[tokio::test]
async fn a_run_whose_undoing_was_killed_in_the_middle_is_undone_once_after_the_restart() {
    let folder = Folder::new();
    let place = folder.place();
    let server = Serving::start(&place).await;
    let secret = server.first_token().await;
    let client = server.client(&secret);
    let workflow = many(&client).await;
    let certification = begin(&client, &workflow).await;
    let run = finished(&client, &certification).await;
    let mut connection = folder.options().connect().await.unwrap();
    slow_down(&mut connection, "automation_run_rows").await;
    let path = format!("{AWF}/automation_runs/{}", id(&run));
    let answer = client.post(&format!("{path}:undo"), json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    amid(&mut connection, "AutomationRunRowsUndone").await;
    server.kill().await;
    let server = Serving::start(&place).await;
    speed_up(&mut connection).await;
    let client = server.client(&secret);
    wait_until("it is undone", async || client.get(&path).await.json["value"]["status"] == "UNDONE").await;
    let shown = client.get(&path).await.json["value"].clone();
    assert_eq!((&shown["reversed"], &shown["kept"]), (&json!(ROWS), &json!(0)), "{shown:#}");
    let rows: (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*), count(DISTINCT aggregate_id), max(sequence) FROM journal.events
         WHERE aggregate_type = 'certification_row' AND event_type = 'CertificationRowUndone'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(rows, (ROWS, ROWS, 2));
    assert_eq!(events(&mut connection, "AccessRequestCanceled").await, PEOPLE as i64);
    assert_eq!(events(&mut connection, "AutomationRunUndone").await, 1);
    connection.close().await.unwrap();
    assert_sound(&place).await;
    assert!(server.terminate().await.0);
}

async fn connected(options: &PgConnectOptions) -> PgConnection {
    options.connect().await.unwrap()
}

#[tokio::test]
async fn of_two_servers_one_does_a_run_and_when_it_dies_the_other_goes_on() {
    let options = cluster::options().await;
    let place = Place::of(&options);
    let first = Serving::start(&place).await;
    let secret = first.first_token().await;
    let second = Serving::start(&place).await;
    let workflow = many(&first.client(&secret)).await;
    let mut connection = connected(&options).await;
    slow_down(&mut connection, "automation_run_rows").await;
    let certification = begin(&second.client(&secret), &workflow).await;
    amid(&mut connection, "AutomationRunRowsDecided").await;
    assert_eq!(events(&mut connection, "AutomationRunClaimed").await, 1, "both servers work on one run");
    let worker: String = sqlx::query_scalar(
        "SELECT payload #>> '{AutomationRunClaimed,worker}' FROM journal.events WHERE event_type = 'AutomationRunClaimed'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    let is_first = worker.contains(&format!("/{}/", first.pid()));
    assert!(is_first || worker.contains(&format!("/{}/", second.pid())), "{worker}");
    let (dead, alive) = if is_first { (first, second) } else { (second, first) };
    dead.kill().await;
    let run = finished(&alive.client(&secret), &certification).await;
    speed_up(&mut connection).await;
    assert_eq!(events(&mut connection, "AutomationRunClaimed").await, 2);
    assert_all_recorded(&mut connection).await;
    assert_run_once(&mut connection, &run).await;
    connection.close().await.unwrap();
    assert_sound(&place).await;
    assert!(alive.terminate().await.0);
}

#[tokio::test]
async fn two_servers_that_both_live_do_a_run_once() {
    let options = cluster::options().await;
    let place = Place::of(&options);
    let (first, second) = (Serving::start(&place).await, Serving::start(&place).await);
    let secret = first.first_token().await;
    let workflow = many(&first.client(&secret)).await;
    let certification = begin(&second.client(&secret), &workflow).await;
    let run = finished(&second.client(&secret), &certification).await;
    let mut connection = connected(&options).await;
    assert_eq!(events(&mut connection, "AutomationRunClaimed").await, 1);
    assert_all_recorded(&mut connection).await;
    assert_run_once(&mut connection, &run).await;
    connection.close().await.unwrap();
    assert_sound(&place).await;
    assert!(first.terminate().await.0 && second.terminate().await.0);
}

/// A run's blocks from the sixth on wait at a gate while somebody holds it.
async fn build_gate(connection: &mut PgConnection) {
    let statements = "CREATE TABLE public.gate ();
         CREATE FUNCTION public.pass() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
             IF EXISTS (SELECT FROM fresh WHERE event_type = 'AutomationRunRowsDecided'
                            AND (payload #>> '{AutomationRunRowsDecided,block}')::int >= 5)
             THEN LOCK TABLE public.gate IN SHARE MODE; END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER pass AFTER INSERT ON journal.events REFERENCING NEW TABLE AS fresh
             FOR EACH STATEMENT EXECUTE FUNCTION public.pass()";
    connection.execute(statements).await.unwrap();
}

/// How often two blocks of this run lie side by side in the log: they are of one append then, behind the decisions about their rows.
async fn side_by_side(connection: &mut PgConnection, run: &str) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM journal.events AS a JOIN journal.events AS b ON b.position = a.position + 1
         WHERE a.event_type = 'AutomationRunRowsDecided' AND b.event_type = 'AutomationRunRowsDecided'
             AND a.payload #>> '{AutomationRunRowsDecided,runId}' = $1",
    )
    .bind(run)
    .fetch_one(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_run_takes_several_blocks_at_once_while_nobody_else_appends_and_gives_way_to_whoever_does() {
    let options = cluster::options().await;
    let place = Place::of(&options);
    let server = Serving::start(&place).await;
    let secret = server.first_token().await;
    let client = server.client(&secret);
    let workflow = many(&client).await;
    let certification = begin(&client, &workflow).await;
    finished(&client, &certification).await;
    let mut connection = connected(&options).await;
    build_gate(&mut connection).await;
    let path = format!("{AWF}/certifications/{certification}");
    // How much a slice holds depends on how fast it goes here: a machine that has much else to do gets another chance.
    for (attempt, decision) in ["ACCEPTED", "NONE"].into_iter().cycle().take(10).enumerate() {
        let leases = Hold::take(connected(&options).await, "work.leases", "EXCLUSIVE").await;
        let ours = format!("run {attempt}");
        let body = json!({"filter": "source.id pr", "decision": decision, "notes": ours});
        let mut gate = Hold::take(connected(&options).await, "public.gate", "ACCESS EXCLUSIVE").await;
        // Somebody decides about a row of each block: of those that are recorded, of the one at the gate and of those behind it.
        let mine = |block: i64| {
            let (client, path) = (&client, format!("{path}/results"));
            let value =
                json!({"result_id": block * 500 + 7, "decision": "REJECTED", "notes": format!("mine {attempt}")});
            async move { client.put(&path, json!({"value": value})).await }
        };
        let meanwhile = async {
            tokio::time::sleep(Duration::from_millis(1100)).await;
            leases.release().await;
            gate.wanted().await;
            let opening = async {
                tokio::time::sleep(Duration::from_millis(500)).await;
                gate.release().await;
            };
            tokio::join!(opening, join_all((0..ROWS / 500).map(mine))).1
        };
        let decide = format!("{path}/results:decide");
        let (ran, answers) = tokio::join!(client.post(&decide, body), meanwhile);
        assert_eq!(ran.status, 200, "{}", ran.text);
        for answer in answers {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        let runs = format!("{path}/automation_runs");
        let last = async || client.get(&runs).await.json["values"].as_array().unwrap().last().unwrap().clone();
        wait_until("the run is over", async || last().await["status"] != "RUNNING").await;
        let run = last().await;
        assert_eq!(run["status"], "COMPLETED", "{run:#}");
        let counts = ["matched", "changed", "skipped"].map(|count| run["automations"][0][count].as_i64().unwrap());
        assert_eq!((counts[0], counts[1] + counts[2]), (ROWS, ROWS), "{run:#}");
        let standing: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT decision, notes, count(*) FROM read.certification_rows GROUP BY 1, 2 ORDER BY 3")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let blocks = ROWS / 500;
        let expected =
            [("REJECTED".to_owned(), format!("mine {attempt}"), blocks), (decision.to_owned(), ours, ROWS - blocks)];
        assert_eq!(standing, expected);
        let once: (i64, i64) = sqlx::query_as(
            "SELECT count(*), count(DISTINCT aggregate_id) FROM journal.events
             WHERE payload #>> '{CertificationRowDecided,runId}' = $1",
        )
        .bind(id(&run))
        .fetch_one(&mut connection)
        .await
        .unwrap();
        assert_eq!(once, (counts[1], counts[1]));
        if side_by_side(&mut connection, id(&run)).await > 0 && counts[2] > 0 {
            connection.close().await.unwrap();
            assert_sound(&place).await;
            assert!(server.terminate().await.0);
            return;
        }
    }
    panic!("no run took several blocks at once, or none gave way to anybody");
}

/// What can't be read in the middle of it must not look like the end.
#[tokio::test]
async fn rows_that_could_not_all_be_read_are_complete_once_they_can() {
    let house = House::open().await;
    let client = &house.answers;
    let grants = [("accounts", LOGINS), ("grants", "login,right\nann,pay\nbob,pay\n")];
    let feeds = [
        json!({"name": "Logins", "content": "accounts", "columns": {"key": "login", "email": "mail"}}),
        json!({"name": "Rights", "content": "grants", "columns": {"account": "login", "entitlement": "right"}}),
    ];
    let payments = house.server.create(bodies::application("Payments", &feeds)).await;
    assert_eq!(house.server.import_all(&payments, &grants).await["status"], "Finished");
    let both = [id(&house.ledger), id(&payments)];
    let workflow = workflow(client, json!({"name": "Quarterly", "application_ids": both})).await;
    let mut connection = house.server.database.connect_owner().await.unwrap();
    // Whichever comes second.
    for unreadable in both {
        let tamper = async |connection: &mut PgConnection, attributes: &str| {
            sqlx::query("UPDATE read.entitlements SET attributes = $1::jsonb WHERE application_id = $2::uuid")
                .bind(attributes)
                .bind(unreadable)
                .execute(connection)
                .await
                .unwrap();
        };
        tamper(&mut connection, "5").await;
        let certification = begin(client, &workflow).await;
        let claims =
            "SELECT count(*) FROM journal.events WHERE event_type = 'CertificationSearchClaimed' AND aggregate_id = $1";
        wait_until("it was tried twice", async || {
            let claims: i64 = sqlx::query_scalar(claims).bind(&certification).fetch_one(&mut connection).await.unwrap();
            claims > 1
        })
        .await;
        tamper(&mut connection, "{}").await;
        let path = format!("{AWF}/certifications/{certification}");
        wait_until("all rows are recorded", async || {
            client.get(&path).await.json["value"]["state"] == "CERT_STATE_IN_PROGRESS"
        })
        .await;
        let shown = client.get(&path).await.json["value"].clone();
        assert_eq!(
            (&shown["completeness"]["in_scope"], &shown["total_result_count"]),
            (&json!(5), &json!(5)),
            "{shown:#}"
        );
        let numbers: Vec<Value> =
            rows(client, &certification).await.into_iter().map(|row| row["result_id"].clone()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
    }
    connection.close().await.unwrap();
    house.close().await;
}
