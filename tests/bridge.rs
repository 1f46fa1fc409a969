//! The bridge to a language model: what a server on this machine may answer, and what is said of it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use kioskd::bridge::{Bridge, BridgeConfig, BridgeError};
use serde_json::{Value, json};

/// What the stub does with a request.
enum Stub {
    /// Answers with this status and body.
    Says(u16, String),
    /// Says nothing for so long.
    Waits(Duration),
    /// Ends the connection in the middle.
    Breaks,
}

/// A server on a port of its own that answers one request; what it was sent comes through the channel.
fn serve(stub: Stub) -> (BridgeConfig, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let (send, received) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        let (head, body) = request(&mut stream);
        let _ = send.send((head, serde_json::from_slice(&body).expect("JSON")));
        let reply = match stub {
            Stub::Says(status, body) => {
                format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                )
            }
            Stub::Waits(time) => {
                // A channel that nobody writes to is a wait without sleeping.
                let (_held, never) = channel::<()>();
                let _ = never.recv_timeout(time);
                return;
            }
            Stub::Breaks => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"choi".to_owned(),
        };
        let _ = stream.write_all(reply.as_bytes());
    });
    (BridgeConfig { url, answer_ms_max: 1_000, ..BridgeConfig::default() }, received)
}

fn request(stream: &mut std::net::TcpStream) -> (String, Vec<u8>) {
    let (mut bytes, mut chunk) = (Vec::new(), [0_u8; 4096]);
    loop {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return (head, bytes[end + 4..end + 4 + length].to_vec());
            }
        }
        match stream.read(&mut chunk).expect("a request") {
            0 => return (String::new(), b"null".to_vec()),
            n => bytes.extend_from_slice(&chunk[..n]),
        }
    }
}

fn completion(content: &str) -> String {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "local",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": content }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 },
    })
    .to_string()
}

fn ask(config: &BridgeConfig) -> Result<String, BridgeError> {
    let bridge: Bridge = config.build().expect("an address of this machine");
    bridge.ask("Corner & Co.", "do you bring things to my house", &["We deliver within 5 kilometres for 3 euros 90.".to_owned()])
}

#[test]
fn an_answer_from_the_facts_is_said() {
    let (config, received) = serve(Stub::Says(200, completion("Yes, we deliver within 5 kilometres for 3 euros 90.")));
    assert_eq!(ask(&config).expect("an answer"), "Yes, we deliver within 5 kilometres for 3 euros 90.");
    let (head, body) = received.recv().expect("a request");
    assert!(head.starts_with("post /v1/chat/completions http/1.1"), "{head}");
    assert_eq!(body["messages"][0]["role"], "system");
    assert!(body["messages"][0]["content"].as_str().expect("text").contains("We deliver within 5 kilometres"));
    assert_eq!(body["messages"][1], json!({ "role": "user", "content": "do you bring things to my house" }));
    assert_eq!((&body["stream"], &body["temperature"]), (&json!(false), &json!(0)));
}

#[test]
fn what_is_made_up_refused_or_no_completion_is_not_said() {
    let said = |status, body: String| ask(&serve(Stub::Says(status, body)).0).expect_err("said");
    assert!(matches!(said(200, completion("Yes, within 50 kilometres and free of charge.")), BridgeError::NotGrounded));
    assert!(matches!(said(200, completion("NOT KNOWN")), BridgeError::NotKnown));
    assert!(matches!(said(200, "<html>busy</html>".to_owned()), BridgeError::NoCompletion(_)));
    assert!(matches!(said(200, json!({ "choices": [] }).to_string()), BridgeError::NoCompletion(_)));
    assert!(matches!(said(500, json!({ "error": { "message": "out of memory" } }).to_string()), BridgeError::Status(500)));
    assert!(matches!(said(302, String::new()), BridgeError::Status(302)));
    assert!(matches!(said(200, completion(&"deliver ".repeat(20_000))), BridgeError::Unreachable(_)), "the body is bounded");
}

#[test]
fn a_slow_broken_or_absent_server_costs_no_more_than_the_limit() {
    let begun = Instant::now();
    let (config, _received) = serve(Stub::Waits(Duration::from_secs(20)));
    assert!(matches!(ask(&config).expect_err("said"), BridgeError::Unreachable(_)));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(matches!(ask(&serve(Stub::Breaks).0).expect_err("said"), BridgeError::Unreachable(_)));
    let nobody = BridgeConfig { url: "http://127.0.0.1:9/v1".to_owned(), ..BridgeConfig::default() };
    assert!(matches!(ask(&nobody).expect_err("said"), BridgeError::Unreachable(_)));
}

#[test]
fn without_fitting_facts_nobody_is_asked() {
    let config = BridgeConfig { url: "http://127.0.0.1:9/v1".to_owned(), ..BridgeConfig::default() };
    let bridge = config.build().expect("an address of this machine");
    assert!(matches!(bridge.ask("Corner & Co.", "who is king", &[]), Err(BridgeError::NoFacts)));
}
