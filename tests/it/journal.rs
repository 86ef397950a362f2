//! The journal: what it accepts, what it refuses, and in which order.

use std::time::Duration;

use aggregates::application::{Application, ApplicationEvent};
use chrono::TimeDelta;
use futures_util::future::join_all;
use muniment::app::Config;
use muniment::journal::{Append, AppendError, Expected, StreamEvents, StreamId};
use muniment::server::assemble;
use serde_json::json;
use sqlx::{Connection, Executor};
use uuid::Uuid;

use crate::support::bodies::grants_only;
use crate::support::clock::TestClock;
use crate::support::journal::{Log, added, application, assert_sound, context, definition, keyed, more, new, stream};
use crate::support::{TestServer, cluster};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_under_load_leave_no_gap_and_break_no_guard() {
    const CALLERS: u128 = 64;
    const SHARED: u128 = 1;
    const GUARDED: u128 = 2;
    let database = cluster::database().await;
    let mut servers = Vec::new();
    for _ in 0..2 {
        servers.push(assemble(&database, Config::default(), TestClock::new()).await.unwrap());
    }
    let log = Log::on(database);
    for number in [SHARED, GUARDED] {
        log.append(new(number)).await.unwrap();
    }
    let callers = (0..CALLERS).map(|caller| {
        let (journal, pool) = (servers[caller as usize % 2].journal.clone(), log.pool.clone());
        tokio::spawn(async move {
            let own = 1000 + caller;
            let (mut stored, mut refused) = (1, 0);
            journal.append(new(own)).await.unwrap();
            for round in 1..=5 {
                let exact = more(own, Expected::Version(round * 3 - 2), "exact");
                let both = Append {
                    streams: vec![exact.streams[0].clone(), more(SHARED, Expected::Any, "any").streams[0].clone()],
                    ..exact
                };
                journal.append(both).await.unwrap();
                let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM journal.events WHERE aggregate_id = $1")
                    .bind(&stream(GUARDED).aggregate_id)
                    .fetch_one(&pool)
                    .await
                    .unwrap();
                let text = format!("guarded {seen}");
                let guards = vec![(stream(GUARDED), seen)];
                match journal.append(Append { guards, ..more(own, Expected::Any, &text) }).await {
                    Ok(_) => stored += 1,
                    Err(AppendError::Guard { found, .. }) => {
                        assert!(found > seen);
                        refused += 1;
                        journal.append(more(own, Expected::Any, "refused before")).await.unwrap();
                        stored += 1;
                    }
                    Err(error) => panic!("{error}"),
                }
                journal.append(more(own, Expected::Version(round * 3), "again")).await.unwrap();
                stored += 3;
                if caller % 8 == 0 {
                    journal.append(more(GUARDED, Expected::Any, "moves on")).await.unwrap();
                    stored += 1;
                }
            }
            (stored, refused)
        })
    });
    let answers = tokio::time::timeout(Duration::from_mins(2), join_all(callers)).await.unwrap();
    let (mut stored, mut refused) = (3, 0); // the switch of the API and two streams
    for answer in answers {
        let (s, r) = answer.unwrap();
        stored += s;
        refused += r;
    }
    assert_eq!(log.assert_sound().await, stored);
    assert!(refused > 0, "no guard was ever tested");
    assert_eq!(log.version(&stream(SHARED)).await, 1 + i64::try_from(CALLERS).unwrap() * 5);
    // Whoever was let through had seen the guarded stream as it was at that position.
    let broken: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM journal.events AS e
         WHERE e.payload #>> '{EntitlementAdded,key}' LIKE 'guarded %' AND split_part(e.payload #>> '{EntitlementAdded,key}', ' ', 2)::bigint
             <> (SELECT count(*) FROM journal.events AS g WHERE g.aggregate_id = $1 AND g.position < e.position)",
    )
    .bind(&stream(GUARDED).aggregate_id)
    .fetch_one(&log.pool)
    .await
    .unwrap();
    assert_eq!(broken, 0);
}

#[tokio::test]
async fn a_stream_is_at_the_expected_version_or_nothing_is_written() {
    let log = Log::open().await;
    assert!(matches!(log.append(more(1, Expected::Version(1), "")).await, Err(AppendError::Conflict { found: 0, .. })));
    let first = log.append(more(1, Expected::Any, "")).await.unwrap();
    assert_eq!((first.first, first.last), (1, 1), "any version, also none");
    assert!(matches!(log.append(new(1)).await, Err(AppendError::Conflict { found: 1, .. })));
    for wrong in [0, 2] {
        let error = log.append(more(1, Expected::Version(wrong), "")).await.unwrap_err();
        assert!(matches!(error, AppendError::Conflict { found: 1, .. }), "{error}");
    }
    let events = vec![added("second"), added("third")];
    let both = log.append(Append::one(stream(1), Expected::Version(1), events, context())).await.unwrap();
    assert_eq!((both.first, both.last), (2, 3));
    log.append(more(1, Expected::Any, "")).await.unwrap();
    assert_eq!(log.assert_sound().await, 4);
}

#[tokio::test]
async fn several_streams_are_appended_to_all_or_none() {
    let log = Log::open().await;
    let several = |last: Expected| Append {
        streams: (1..=3)
            .map(|number| {
                let expected = if number == 3 { last } else { Expected::New };
                StreamEvents { stream: stream(number), expected, events: vec![added("a"), added("b")] }
            })
            .collect(),
        ..new(1)
    };
    let error = log.append(several(Expected::Version(7))).await.unwrap_err();
    assert!(matches!(&error, AppendError::Conflict { stream: refused, found: 0 } if *refused == stream(3)), "{error}");
    assert_eq!(log.length().await, 0);
    let appended = log.append(several(Expected::New)).await.unwrap();
    assert_eq!((appended.first, appended.last), (1, 6));
    assert_eq!(log.assert_sound().await, 6);
}

#[tokio::test]
async fn a_guarded_stream_that_moved_on_refuses_the_append() {
    let log = Log::open().await;
    log.append(new(1)).await.unwrap();
    let guarded = |version| Append { guards: vec![(stream(1), version)], ..more(2, Expected::Any, "") };
    log.append(guarded(1)).await.unwrap();
    log.append(more(1, Expected::Any, "")).await.unwrap();
    let error = log.append(guarded(1)).await.unwrap_err();
    assert!(matches!(&error, AppendError::Guard { stream: moved, found: 2 } if *moved == stream(1)), "{error}");
    log.append(guarded(2)).await.unwrap();
    let never = Append { guards: vec![(stream(9), 0)], ..more(2, Expected::Any, "") };
    log.append(never).await.unwrap();
    assert_eq!(log.assert_sound().await, 5);
}

#[tokio::test]
async fn a_name_has_one_holder_whatever_its_case_and_whichever_server() {
    let first = TestServer::start().await;
    let second = first.start_beside().await;
    for round in 0..8 {
        let (lower, upper) = (format!("payroll {round}"), format!(" PAYROLL {round}"));
        let (a, b) = tokio::join!(
            first.client.post("/api/applications", grants_only(&lower)),
            second.client.post("/api/applications", grants_only(&upper)),
        );
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", a.text, b.text);
    }
    assert_eq!(first.client.get("/api/applications").await.json["totalCount"], 8);
    first.assert_verified_in(&[50]).await;
    second.stop().await;
    first.stop().await;
}

#[tokio::test]
async fn a_claim_that_was_given_up_is_free_for_others() {
    let log = Log::open().await;
    log.append(application(1, "Payroll")).await.unwrap();
    let error = log.append(application(2, "PAYROLL ")).await.unwrap_err();
    assert!(matches!(&error, AppendError::ClaimTaken { claim, .. } if claim == "application-name:payroll"), "{error}");
    let claim = "application-name:payroll".to_owned();
    let known = StreamId::of::<Application>(&Uuid::from_u128(1));
    let event = ApplicationEvent::ApplicationUpdated { definition: definition("Wages") };
    let renamed = Append {
        release: vec![(claim.clone(), known.clone())],
        ..Append::one(known, Expected::Version(1), vec![event.into()], context())
    };
    // Somebody else's claim can't be given up.
    let not_its_own = Append { release: vec![(claim.clone(), stream(5))], ..new(5) };
    log.append(not_its_own).await.unwrap();
    assert!(matches!(log.append(application(2, "payroll")).await, Err(AppendError::ClaimTaken { .. })));
    // Given up and taken in one batch; taken and given up again; taken, given up and taken.
    let brief = |number, end: Option<u128>| {
        let (claim, holder) = (format!("brief {number}"), stream(number));
        let take = Append { take: vec![(claim.clone(), holder.clone())], ..new(number) };
        let release = vec![(claim.clone(), holder)];
        let release = Append { release, ..more(number, Expected::Version(1), "given up") };
        let end = end.map(|end| Append { take: vec![(claim, stream(end))], ..new(end) });
        [Some(take), Some(release), end].into_iter().flatten()
    };
    let all = [renamed, application(2, "payroll")].into_iter().chain(brief(10, None)).chain(brief(11, Some(12)));
    let all = join_all(all.map(|append| log.append(append)));
    for answer in log.in_one_batch(all).await {
        answer.unwrap();
    }
    let held: Vec<(String, String)> =
        sqlx::query_as("SELECT claim, aggregate_id FROM journal.claims WHERE claim ~ 'brief|payroll' ORDER BY claim")
            .fetch_all(&log.pool)
            .await
            .unwrap();
    let two = Uuid::from_u128(2).to_string();
    assert_eq!(held, [(claim, two), ("brief 11".to_owned(), stream(12).aggregate_id)]);
}

#[tokio::test]
async fn texts_of_any_characters_are_facts_like_others() {
    let log = Log::open().await;
    let odd = [r#"O'Brien "& sons" \ {a,b}"#, "'); ROLLBACK; --", "NULL", "{}", "", "\u{1f512}\n\t", "\\'\\\""];
    for (number, text) in (10..).zip(odd) {
        let take = |number| Append { take: vec![(text.to_owned(), stream(number))], ..new(number) };
        log.append(take(number)).await.unwrap();
        let error = log.append(take(number + 100)).await.unwrap_err();
        assert!(matches!(&error, AppendError::ClaimTaken { claim, .. } if claim == text), "{text:?}: {error}");
        let again = || Append { context: keyed(text, 1), ..new(number + 200) };
        let first = log.append(again()).await.unwrap();
        let replayed = log.append(again()).await.unwrap_err();
        assert!(matches!(replayed, AppendError::Replayed { position } if position == first.last), "{text:?}");
    }
    // What no text of PostgreSQL may hold costs nobody else anything.
    let nul = Append { take: vec![("a\0'); ROLLBACK".to_owned(), stream(1))], ..new(1) };
    let answers = log.in_one_batch(join_all([log.append(nul), log.append(new(2))])).await;
    assert!(matches!(answers[0], Err(AppendError::Failed(_))), "{:?}", answers[0]);
    assert!(answers[1].is_ok(), "{:?}", answers[1]);
    log.assert_sound().await;
}

#[tokio::test]
async fn nobody_pays_for_a_neighbours_bad_command() {
    let log = Log::open().await;
    let mut superuser = log.database.connect_owner().await.unwrap();
    superuser
        .execute(
            "CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'poison'; END $$;
             CREATE TRIGGER poison BEFORE INSERT ON journal.events FOR EACH ROW
                 WHEN (new.payload::text LIKE '%poison%') EXECUTE FUNCTION refuse_poison()",
        )
        .await
        .unwrap();
    log.append(new(1)).await.unwrap();
    log.append(application(2, "Payroll")).await.unwrap();
    let mut appends = Vec::new();
    for number in 100..140 {
        appends.push(new(number));
        match number {
            107 => appends.push(new(1)),
            112 => appends.push(more(500, Expected::Any, "poison")),
            118 => appends.push(Append { guards: vec![(stream(1), 7)], ..new(501) }),
            123 => appends.push(application(502, "payroll")),
            131 => appends.push(more(503, Expected::Any, "poison")),
            _ => {}
        }
    }
    let rest = log.in_one_batch(join_all(appends.into_iter().map(|append| log.append(append)))).await;
    let refused: Vec<String> = rest.iter().filter_map(|answer| Some(answer.as_ref().err()?.to_string())).collect();
    assert_eq!(refused.len(), 5, "{refused:?}");
    assert!(
        refused[0].contains("is at version 1") && refused[2].contains("moved on") && refused[3].contains("is taken by"),
        "{refused:?}"
    );
    assert!(matches!(&rest[14], Err(AppendError::Failed(reason)) if reason.contains("poison")), "{refused:?}");
    superuser.execute("DROP TRIGGER poison ON journal.events").await.unwrap();
    superuser.close().await.unwrap();
    assert_eq!(log.assert_sound().await, 3 + 40);
    log.append(more(500, Expected::New, "no poison any more")).await.unwrap();
}

#[tokio::test]
async fn a_request_sent_again_is_known_by_its_key() {
    let log = Log::open().await;
    let request = |number, key: &str, hash| Append { context: keyed(key, hash), ..new(number) };
    let first = log.append(request(1, "k", 1)).await.unwrap();
    assert!(
        matches!(log.append(request(2, "k", 1)).await, Err(AppendError::Replayed { position }) if position == first.last)
    );
    assert!(matches!(log.append(request(2, "k", 2)).await, Err(AppendError::KeyReused)));
    let mut by_another = request(3, "k", 1);
    by_another.context.actor.id = "somebody else".to_owned();
    log.append(by_another).await.unwrap();
    // A refused request leaves its key free.
    assert!(matches!(log.append(request(1, "free", 1)).await, Err(AppendError::Conflict { .. })));
    log.append(request(4, "free", 2)).await.unwrap();
    // Two at the same moment.
    let twins = join_all([log.append(request(6, "twin", 1)), log.append(request(7, "twin", 1))]);
    let twins = log.in_one_batch(twins).await;
    assert!(twins[0].is_ok() && matches!(twins[1], Err(AppendError::Replayed { .. })), "{twins:?}");
    log.clock.advance(TimeDelta::hours(24) + TimeDelta::seconds(1));
    log.append(request(8, "k", 2)).await.unwrap();
    assert!(matches!(log.append(request(9, "k", 1)).await, Err(AppendError::KeyReused)), "the new use counts");
    assert_eq!(log.assert_sound().await, 6);
}

#[tokio::test]
async fn people_do_not_wait_for_bulk_work() {
    let log = Log::open().await;
    let (slices, people) = log
        .in_one_batch(async {
            tokio::join!(
                join_all((1..=7).map(|number| log.journal.append_bulk(new(number)))),
                join_all((100..120).map(|number| log.append(new(number)))),
            )
        })
        .await;
    let last_of_people = people.into_iter().map(|answer| answer.unwrap().last).max().unwrap();
    let behind = slices.into_iter().filter(|slice| slice.as_ref().unwrap().first > last_of_people).count();
    assert!(behind >= 6, "{behind} of 7 slices came after the people");
    assert_eq!(log.assert_sound().await, 28);
}

#[tokio::test]
async fn a_full_queue_says_so_and_loses_nothing() {
    const QUEUE: usize = 4096;
    let log = Log::open().await;
    let crowd = join_all((10_000..10_000 + QUEUE as u128 + 300).map(|number| log.append(new(number))));
    let crowd = log.in_one_batch(crowd).await;
    let stored = crowd.iter().filter(|answer| answer.is_ok()).count();
    let full = crowd
        .iter()
        .filter(|answer| matches!(answer, Err(AppendError::Unavailable(reason)) if reason.contains("queue is full")))
        .count();
    assert_eq!((stored, full), (QUEUE, 300));
    assert_eq!(log.length().await, 1 + stored as i64);
    log.append(new(2)).await.unwrap();
}

#[tokio::test]
async fn time_in_the_log_never_goes_back() {
    let log = Log::open().await;
    log.append(new(1)).await.unwrap();
    log.clock.advance(TimeDelta::hours(-3));
    log.append(new(2)).await.unwrap();
    log.clock.advance(TimeDelta::hours(3) + TimeDelta::microseconds(1));
    log.append(new(3)).await.unwrap();
    let times: Vec<String> = sqlx::query_scalar(
        "SELECT to_char(recorded_at AT TIME ZONE 'UTC', 'HH24:MI:SS.US') FROM journal.events ORDER BY position",
    )
    .fetch_all(&log.pool)
    .await
    .unwrap();
    assert_eq!(times, ["12:00:00.000000", "12:00:00.000000", "12:00:00.000001"]);
    log.assert_sound().await;
}

#[tokio::test]
async fn a_database_of_another_version_is_not_written_to() {
    let log = Log::open().await;
    log.append(new(1)).await.unwrap();
    let mut superuser = log.database.connect_owner().await.unwrap();
    for (other, back) in [
        ("migration = migration + 1", "migration = migration - 1"),
        ("projections = projections || '.more1'", "projections = replace(projections, '.more1', '')"),
    ] {
        superuser.execute(format!("UPDATE journal.schema_version SET {other}").as_str()).await.unwrap();
        let error = log.append(new(2)).await.unwrap_err();
        assert!(matches!(&error, AppendError::Unavailable(reason) if reason.contains("another version")), "{error}");
        let error = log.journal.append_bulk(new(3)).await.unwrap_err();
        assert!(matches!(&error, AppendError::Unavailable(_)), "{error}");
        superuser.execute(format!("UPDATE journal.schema_version SET {back}").as_str()).await.unwrap();
    }
    assert_eq!(log.assert_sound().await, 1);
}

#[tokio::test]
async fn the_leaf_hash_is_what_another_implementation_computes() {
    let server = TestServer::start().await;
    let application = server.client.post("/api/applications", grants_only("Zoë's \"Payroll\" \u{1F4B6}")).await.json;
    server.import(&application, "grants", "user,permission\nänn,\"re,ad\"\n").await;
    // PostgreSQL itself: SHA-256 of the bytes that docs/EVENTS.md lists.
    let wrong: Vec<i64> = sqlx::query_scalar(
        "SELECT position FROM journal.events,
             LATERAL (SELECT string_agg(int8send(octet_length(convert_to(t, 'UTF8'))) || convert_to(t, 'UTF8'), '' ORDER BY n) AS bytes
                      FROM unnest(ARRAY[aggregate_type, aggregate_id]) WITH ORDINALITY AS u (t, n)) AS stream,
             LATERAL (SELECT string_agg(int8send(octet_length(convert_to(t, 'UTF8'))) || convert_to(t, 'UTF8'), '' ORDER BY n) AS bytes
                      FROM unnest(ARRAY[event_type, event_version, payload::text, metadata::text]) WITH ORDINALITY AS u (t, n)) AS event
         WHERE leaf_hash <> sha256('\\x00'::bytea || int8send(position) || int8send((extract(epoch FROM recorded_at) * 1000000)::bigint)
                                   || stream.bytes || int8send(sequence) || event.bytes)",
    )
    .fetch_all(&server.server.app.pool)
    .await
    .unwrap();
    assert_eq!(wrong, Vec::<i64>::new());
    let length: i64 =
        sqlx::query_scalar("SELECT count(*) FROM journal.events").fetch_one(&server.server.app.pool).await.unwrap();
    assert!(length > 8, "{length}");
    server.stop().await;
}

#[tokio::test]
async fn a_tampered_log_is_found_out() {
    let log = Log::open().await;
    for number in 1..=5 {
        log.append(new(number)).await.unwrap();
    }
    let mut superuser = log.database.connect_owner().await.unwrap();
    let tamper = "ALTER TABLE journal.events DISABLE TRIGGER append_only;
         UPDATE journal.events SET metadata = replace(metadata::text, 'tester', 'nobody')::json WHERE position = 2;
         DELETE FROM journal.events WHERE position = 4;
         ALTER TABLE journal.events ENABLE TRIGGER append_only";
    superuser.execute(tamper).await.unwrap();
    let check = muniment::journal::check::check(&log.pool, |_, _| ()).await.unwrap();
    assert_eq!(check.faults, ["position 2: the leaf hash is wrong", "position 5: follows position 3"]);
}

#[tokio::test]
async fn every_event_says_who_and_why() {
    let server = TestServer::start().await;
    let created = server.client.post("/api/applications", grants_only("Payroll")).await;
    let application = &created.json;
    let id = application["id"].as_str().unwrap();
    let uploaded = server
        .client
        .upload(
            id,
            vec![(
                crate::support::file_group(application, "grants"),
                "grants.csv".to_owned(),
                b"user,permission\nann,read\n".to_vec(),
            )],
        )
        .await;
    server.ended(&uploaded.json).await;
    let pool = &server.server.app.pool;
    let metadata = async |event_type: &str| -> (i64, serde_json::Value) {
        sqlx::query_as(
            "SELECT position, metadata FROM journal.events WHERE event_type = $1 ORDER BY position DESC LIMIT 1",
        )
        .bind(event_type)
        .fetch_one(pool)
        .await
        .unwrap()
    };
    let (_, system) = metadata("ApiEnabled").await;
    assert_eq!((&system["actorType"], &system["actorId"]), (&json!("system"), &json!("first start")));
    assert_eq!(system["correlationId"].as_str().unwrap().len(), 32);

    let (_, token) = metadata("ApplicationCreated").await;
    let token_id: Uuid = sqlx::query_scalar("SELECT id FROM api_tokens").fetch_one(pool).await.unwrap();
    assert_eq!(
        token,
        json!({
            "actorType": "token", "actorId": token_id.to_string(), "actorName": "administrator",
            "correlationId": created.headers["x-request-id"].to_str().unwrap(), "sourceAddress": "127.0.0.1",
        })
    );

    let (staged, staging) = metadata("ImportStaged").await;
    for event_type in ["ImportClaimed", "AccountAccessChanged", "EntitlementAdded", "ImportFinished"] {
        let (_, worker) = metadata(event_type).await;
        for same in ["actorType", "actorId", "actorName", "correlationId"] {
            assert_eq!(worker[same], staging[same], "{event_type} {same}");
        }
        assert_eq!(worker["causationId"], staged.to_string(), "{event_type}");
        assert!(worker["worker"].as_str().unwrap().contains(&std::process::id().to_string()), "{event_type}");
    }

    let place = crate::support::process::Place::of(&server.database.application());
    crate::support::process::succeed(&["token", "create", "--name", "from the shell"], &place, &[]).await;
    let (_, cli) = metadata("ApiTokenCreated").await;
    let output = std::process::Command::new("id").arg("-un").output().unwrap();
    let user = String::from_utf8(output.stdout).unwrap();
    assert_eq!((&cli["actorType"], cli["actorId"].as_str()), (&json!("cli"), Some(user.trim())));
    let unnamed: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM journal.events WHERE actor_id = '' OR metadata ->> 'actorName' IS NULL OR actor_id <> metadata ->> 'actorId'",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(unnamed, 0);
    assert_sound(&server.database).await;
    server.stop().await;
}
