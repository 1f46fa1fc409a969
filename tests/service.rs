//! The service over HTTP: the same answers as the command line, bounds, one shape of error, and nothing lost when it is killed.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use common::{command, path};
use serde_json::Value;

/// A running service.
struct Service {
    child: Child,
    address: String,
}

impl Service {
    fn start(data: &Path, extra: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"][..], extra].concat();
        let child = command(data, &arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
        // Made first, so that whatever happens here the child is ended.
        let mut service = Self { child, address: String::new() };
        // It says where it listens once it is ready; if it fails it says why and the lines end.
        let mut told = String::new();
        let lines = BufReader::new(service.child.stderr.take().expect("stderr")).lines().map_while(Result::ok);
        for line in lines {
            if let Some(rest) = line.split("open http://").nth(1) {
                rest.split('/').next().expect("an address").clone_into(&mut service.address);
                return service;
            }
            told += &line;
        }
        panic!("the service did not start: {told}");
    }

    /// One request on a connection of its own: status, headers, body.
    fn send(&self, head: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a bound");
        let request = format!("{head}\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", self.address, body.len());
        stream.write_all(request.as_bytes()).expect("sends");
        // A service that refuses a large body early may close before all of it was sent.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        (status, head, answer[end + 4..].to_vec())
    }

    fn json(&self, head: &str, body: &[u8]) -> (u16, Value) {
        let (status, _, body) = self.send(head, body);
        (status, serde_json::from_slice(&body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&body))))
    }

    fn open_session(&self) -> String {
        let (status, body) = self.json("POST /v1/sessions HTTP/1.1", b"");
        assert_eq!(status, 201);
        body["session"].as_str().expect("an identifier").to_owned()
    }

    fn turn(&self, session: &str, parts: &[(&str, &[u8])]) -> (u16, Value) {
        let mut body = Vec::new();
        for (name, content) in parts {
            let file = if *name == "text" { String::new() } else { format!("; filename=\"{name}\"") };
            body.extend(format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n").into_bytes());
            body.extend_from_slice(content);
            body.extend(b"\r\n");
        }
        body.extend(b"--edge--\r\n");
        let head = format!("POST /v1/sessions/{session}/turns HTTP/1.1\r\ncontent-type: multipart/form-data; boundary=edge");
        self.json(&head, &body)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn room() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn a_turn_over_http_is_a_turn_and_errors_have_one_shape() {
    let room = room();
    let service = Service::start(room.path(), &[]);
    let (status, health) = service.json("GET /health HTTP/1.1", b"");
    assert_eq!((status, &health["status"]), (200, &Value::from("ok")));

    let session = service.open_session();
    let audio = std::fs::read(path("audio_fixtures/how-much.slt.flac")).expect("a fixture");
    let photo = std::fs::read(path("tests/photos/grocery/Granny-Smith_001.jpg")).expect("a photo");
    let (status, turn) = service.turn(&session, &[("audio", &audio), ("photo", &photo)]);
    assert_eq!(status, 200, "{turn}");
    assert_eq!(turn["transcript"]["text"], "How much is this?");
    assert_eq!(turn["sighting"]["product"], "apple-granny-smith");
    assert!(turn["answer"]["text"].as_str().is_some_and(|text| text.contains("79 cents")), "{turn}");
    let (status, turn) = service.turn(&session, &[("text", b"and where is it")]);
    assert_eq!((status, &turn["turn"]), (200, &Value::from(2)));
    let (status, log) = service.json(&format!("GET /v1/sessions/{session} HTTP/1.1"), b"");
    assert_eq!((status, log["turns"].as_array().map(Vec::len)), (200, Some(2)));

    let tell = |body: &str| {
        service.json(&format!("POST /v1/sessions/{session}/feedback HTTP/1.1\r\ncontent-type: application/json"), body.as_bytes())
    };
    let (status, told) = tell(r#"{"outcome": "accepted", "turn": 1, "product": "apple-granny-smith"}"#);
    assert_eq!((status, &told["new"]), (200, &Value::from(true)));
    let (status, told) = service.json(&format!("GET /v1/sessions/{session}/feedback HTTP/1.1"), b"");
    assert_eq!((status, &told["feedback"][0]["outcome"]), (200, &Value::from("accepted")));

    let error = |(status, body): (u16, Value), expected: u16, code: &str| {
        assert_eq!((status, &body["error"]["code"]), (expected, &Value::from(code)), "{body}");
        assert!(body["error"]["message"].as_str().is_some_and(|m| m.len() > 10 && !m.contains('\n')), "{body}");
    };
    error(service.turn(&session, &[]), 400, "bad_request");
    error(service.turn(&session, &[("colour", b"green")]), 400, "bad_request");
    error(service.turn(&session, &[("audio", b"hello")]), 400, "bad_audio");
    error(service.turn(&session, &[("photo", b"hello")]), 400, "bad_photo");
    error(service.turn(&session, &[("photo", b"")]), 400, "bad_photo");
    error(tell("bought it"), 400, "bad_request");
    error(tell(r#"{"outcome": "bought"}"#), 400, "bad_request");
    error(tell(r#"{"outcome": "rated", "stars": 9}"#), 400, "bad_request");
    error(tell(r#"{"outcome": "purchase", "price": 3}"#), 400, "bad_request");
    error(tell(r#"{"outcome": "thumbs_up", "turn": 77}"#), 400, "bad_request");
    error(service.turn("nobody", &[("text", b"hello")]), 404, "unknown_session");
    error(service.json("GET /v1/sessions/nobody HTTP/1.1", b""), 404, "unknown_session");
    error(service.json("GET /v2 HTTP/1.1", b""), 404, "not_found");
    error(service.json("DELETE /v1/sessions HTTP/1.1", b""), 405, "method_not_allowed");
    error(service.json(&format!("POST /v1/sessions/{session}/turns HTTP/1.1"), b"hello"), 400, "bad_request");
    // After all of that it still serves.
    assert_eq!(service.turn(&session, &[("text", b"how much are the lemons")]).0, 200);
}

#[test]
fn the_page_is_served_with_a_policy_that_keeps_everything_on_this_machine() {
    let room = room();
    let service = Service::start(room.path(), &[]);
    for file in ["/", "/kiosk.css", "/kiosk.js", "/recorder.js", "/favicon.svg"] {
        let (status, head, body) = service.send(&format!("GET {file} HTTP/1.1"), b"");
        assert_eq!(status, 200, "{file}");
        assert!(head.contains("content-security-policy: default-src 'self'"), "{file}: {head}");
        assert!(!body.is_empty());
        let text = String::from_utf8_lossy(&body);
        assert!(!text.contains("https://"), "{file} names another host");
    }
}

#[test]
fn what_is_too_large_or_too_much_is_refused_at_once() {
    let room = room();
    let config = room.path().join("kiosk.toml");
    let settings = format!(
        "[paths]\nshop = {:?}\nmodels = {:?}\n[server]\nbody_bytes_max = 100000\nrequests_max = 1\n",
        path("config"),
        path("models")
    );
    std::fs::write(&config, settings).expect("writes");
    let service = Service::start(room.path(), &["--config", config.to_str().expect("a path")]);
    let session = service.open_session();
    let (status, body) = service.turn(&session, &[("audio", &[0; 200_000])]);
    assert_eq!((status, &body["error"]["code"]), (413, &Value::from("too_large")), "{body}");

    // A request that has begun and is not finished holds the only slot, unless it came while the one that looks for it was being answered.
    let head = format!(
        "POST /v1/sessions/{session}/turns HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=edge\r\ncontent-length: 90000\r\n\r\n--edge\r\n"
    );
    let mut slow = Vec::new();
    let busy = (0..200).find_map(|_| {
        let mut begun = TcpStream::connect(&service.address).expect("connects");
        begun.write_all(head.as_bytes()).expect("sends");
        slow.push(begun);
        let (status, head, _) = service.send("POST /v1/sessions HTTP/1.1", b"");
        (status == 503).then_some(head)
    });
    assert!(busy.expect("the only slot is taken").contains("retry-after: 1"));
    drop(slow);
    let free = (0..10_000).any(|_| service.send("POST /v1/sessions HTTP/1.1", b"").0 == 201);
    assert!(free, "the slot comes back when its caller has gone");
}

#[test]
fn an_acknowledged_turn_survives_a_kill() {
    let room = room();
    let mut service = Service::start(room.path(), &[]);
    let session = service.open_session();
    for n in 1..=3 {
        let (status, turn) = service.turn(&session, &[("text", b"how much are the lemons")]);
        assert_eq!((status, &turn["turn"]), (200, &Value::from(n)));
    }
    service.child.kill().expect("kills");
    service.child.wait().expect("ends");
    let service = Service::start(room.path(), &[]);
    let (_, log) = service.json(&format!("GET /v1/sessions/{session} HTTP/1.1"), b"");
    assert_eq!(log["turns"].as_array().map(Vec::len), Some(3));
    let (status, turn) = service.turn(&session, &[("text", b"and where are they")]);
    assert_eq!((status, &turn["turn"]), (200, &Value::from(4)));
    assert!(turn["answer"]["text"].as_str().is_some_and(|text| text.contains("lemon")), "the conversation goes on: {turn}");
}

#[test]
fn a_second_service_on_the_same_log_says_so_and_the_first_goes_on() {
    let room = room();
    let service = Service::start(room.path(), &[]);
    let second = command(room.path(), &["serve", "--listen", "127.0.0.1:0"]).output().expect("runs");
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use by another kioskd"));
    let same_port = command(&room.path().join("other"), &["serve", "--listen", &service.address]).output().expect("runs");
    assert_eq!(same_port.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&same_port.stderr).contains("cannot be listened on"));
    assert_eq!(service.json("GET /health HTTP/1.1", b"").0, 200);
}
