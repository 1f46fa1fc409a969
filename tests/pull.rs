//! `models pull` against a small server of our own: whole, resumed, wrong, cut, or not there at all.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use kioskd::weights::{Manifest, WeightsError, pull_from, sha256_of_file};

/// What is served, and how much of it before the line goes dead.
#[derive(Clone)]
struct Offer {
    content: Vec<u8>,
    bytes_at_most: usize,
    status: &'static str,
}

/// Serves the file at any address, with ranges, and notes the requests.
fn serve(offer: Offer) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let requests = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&requests);
    std::thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|n| n > 0) {}
            let range = head.to_lowercase().split("range: bytes=").nth(1).and_then(|r| r.split('-').next()?.parse::<usize>().ok());
            let from = range.unwrap_or(0).min(offer.content.len());
            let status = if range.is_some() && offer.status == "200 OK" { "206 Partial Content" } else { offer.status };
            noted.lock().expect("notes").push(head);
            let rest = &offer.content[from..];
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", rest.len());
            let mut stream = reader.into_inner();
            let _ = stream.write_all(answer.as_bytes());
            let _ = stream.write_all(&rest[..rest.len().min(offer.bytes_at_most)]);
        }
    });
    (address, requests)
}

fn offer(content: &[u8]) -> Offer {
    Offer { content: content.to_vec(), bytes_at_most: usize::MAX, status: "200 OK" }
}

fn manifest(folder: &Path, content: &[u8]) -> Manifest {
    std::fs::write(folder.join("expected"), content).expect("writes");
    let sha256 = sha256_of_file(&folder.join("expected")).expect("reads");
    let text = format!(
        "[[model]]\nname = \"small\"\nkind = \"whisper\"\nfile = \"fetched/small.bin\"\nsha256 = \"{sha256}\"\nlicence = \"MIT\"\nabout = \"x\"\n\
         [model.hub]\nrepository = \"somebody/whisper\"\nrevision = \"abc\"\nfile = \"small.bin\"\n"
    );
    Manifest::parse(folder, &text).expect("a manifest")
}

fn content() -> Vec<u8> {
    (0..300_000u32).map(|n| (n % 251) as u8).collect()
}

#[test]
fn a_model_is_fetched_whole_and_not_fetched_again() {
    let room = tempfile::tempdir().expect("a folder");
    let manifest = manifest(room.path(), &content());
    let (server, requests) = serve(offer(&content()));
    let mut seen = Vec::new();
    let path = pull_from(&manifest, "small", &server, &mut |p| seen.push((p.done, p.total))).expect("pulls");
    assert_eq!(std::fs::read(&path).expect("reads"), content());
    assert_eq!(seen.last(), Some(&(300_000, Some(300_000))));
    assert!(requests.lock().expect("notes")[0].starts_with("GET /somebody/whisper/resolve/abc/small.bin "));
    assert!(!room.path().join("fetched/small.bin.part").exists());
    pull_from(&manifest, "small", &server, &mut |_| ()).expect("is there");
    assert_eq!(requests.lock().expect("notes").len(), 1);
}

#[test]
fn a_pull_that_was_cut_goes_on_where_it_stopped() {
    let room = tempfile::tempdir().expect("a folder");
    let manifest = manifest(room.path(), &content());
    let (broken, _) = serve(Offer { bytes_at_most: 100_000, ..offer(&content()) });
    let error = pull_from(&manifest, "small", &broken, &mut |_| ()).expect_err("was cut");
    assert!(matches!(error, WeightsError::Offline { .. }), "{error}");
    assert!(!room.path().join("fetched/small.bin").exists(), "a part never has the name of the whole");
    let (server, requests) = serve(offer(&content()));
    let path = pull_from(&manifest, "small", &server, &mut |_| ()).expect("pulls the rest");
    assert_eq!(std::fs::read(path).expect("reads"), content());
    assert!(requests.lock().expect("notes")[0].to_lowercase().contains("range: bytes=100000-"));
}

#[test]
fn a_wrong_file_is_removed_and_the_next_pull_begins_anew() {
    let room = tempfile::tempdir().expect("a folder");
    let manifest = manifest(room.path(), &content());
    let (wrong, _) = serve(offer(b"something else"));
    let error = pull_from(&manifest, "small", &wrong, &mut |_| ()).expect_err("is wrong").to_string();
    assert!(error.contains("has sha256") && error.contains("removed"), "{error}");
    let (server, requests) = serve(offer(&content()));
    pull_from(&manifest, "small", &server, &mut |_| ()).expect("pulls");
    assert!(!requests.lock().expect("notes")[0].to_lowercase().contains("range:"));
}

#[test]
fn without_internet_or_without_the_file_it_says_so_in_one_line() {
    let room = tempfile::tempdir().expect("a folder");
    let manifest = manifest(room.path(), &content());
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    let offline = pull_from(&manifest, "small", &format!("http://{nobody}"), &mut |_| ()).expect_err("nobody answers").to_string();
    assert!(offline.contains("no internet") && !offline.contains('\n'), "{offline}");
    let (server, _) = serve(Offer { status: "404 Not Found", ..offer(b"gone") });
    let refused = pull_from(&manifest, "small", &server, &mut |_| ()).expect_err("is gone").to_string();
    assert!(refused.contains("404"), "{refused}");
}
