//! Connections that break.

use std::collections::VecDeque;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{SECRET, attempted, make, open, subscribe};
use crate::support::receiver::webhook;

/// Takes one connection after the other and answers requests with these statuses; where there is none, it closes the connection instead.
/// Gives the number of the connection on which each request came, and its `webhook-id`.
async fn serve(listener: TcpListener, mut replies: VecDeque<Option<u16>>) -> Vec<(usize, String)> {
    let (mut got, mut connections) = (Vec::new(), 0);
    while !replies.is_empty() {
        let mut connection = BufReader::new(listener.accept().await.unwrap().0);
        connections += 1;
        while let Some(id) = request(&mut connection).await {
            got.push((connections, id));
            let Some(Some(status)) = replies.pop_front() else { break };
            let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n");
            connection.get_mut().write_all(answer.as_bytes()).await.unwrap();
            if replies.is_empty() {
                break;
            }
        }
    }
    got
}

/// Reads a request to its end; its `webhook-id`, or `None` when the connection is closed.
async fn request(connection: &mut BufReader<TcpStream>) -> Option<String> {
    let (mut id, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await.unwrap_or_default() == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("webhook-id", value)) => id = Some(value.to_owned()),
            Some(("content-length", value)) => length = value.parse().unwrap(),
            _ if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    connection.read_exact(&mut vec![0; length]).await.unwrap();
    id
}

#[tokio::test]
async fn what_a_receiver_may_have_got_is_a_failed_attempt_and_comes_again_later() {
    let server = open().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let receiver = tokio::spawn(serve(listener, [Some(500), Some(200), None, Some(200)].into()));
    subscribe(&server, &[webhook("1", &url, SECRET, &["ApplicationCreated"])]).await;
    make(&server, &["A"]).await;
    attempted(&server, "1", 1).await;
    // Both wait now, so B goes on the connection on which A went.
    make(&server, &["B"]).await;
    server.clock.advance(TimeDelta::seconds(2));
    let made = attempted(&server, "1", 3).await;
    let outcomes: Vec<&Value> = made.iter().rev().map(|attempt| &attempt["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "delivered", "failed"]);
    assert!(made[0]["reason"].as_str().unwrap().starts_with("the connection broke: "), "{made:?}");
    assert_eq!(made[0]["status"], Value::Null);
    server.clock.advance(TimeDelta::seconds(2));
    let made = attempted(&server, "1", 4).await;
    assert_eq!((&made[0]["outcome"], &made[0]["messageId"]), (&json!("delivered"), &made[1]["messageId"]));
    let (a, b) = (made[3]["messageId"].as_str().unwrap(), made[0]["messageId"].as_str().unwrap());
    let expected = [(1, a), (2, a), (2, b), (3, b)].map(|(connection, id)| (connection, id.to_owned()));
    assert_eq!(receiver.await.unwrap(), expected);
    server.stop().await;
}
