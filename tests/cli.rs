//! The command line keeps its promises: keys, streams, exit codes, one clear sentence for each mistake.

mod common;

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use common::{command, index, kioskd, stderr, stdout};
use serde_json::Value;

fn room() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn json_lines(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// The mistake is told in one sentence on stderr, nothing stands on stdout, and the exit code is right.
#[track_caller]
fn check_refused(output: &Output, code: i32, contains: &str) {
    let told = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(told.contains(contains), "{contains:?} is not in {told:?}");
    assert!(!told.contains("panicked"), "{told}");
}

fn with_stdin(data: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = command(data, arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    child.stdin.take().expect("stdin").write_all(input).expect("writes");
    child.wait_with_output().expect("ends")
}

#[test]
fn ask_prints_one_object_with_all_keys_and_null_for_what_is_absent() {
    let room = room();
    let output = kioskd(room.path(), &["ask", "--text", "how much are the lemons", "--session", "demo-1", "--json"]);
    let [turn] = &json_lines(&output)[..] else { panic!("one line: {}", stdout(&output)) };
    for key in ["session", "turn", "transcript", "sighting", "understanding", "prediction", "answer", "recommendations", "timings_ms"] {
        assert!(turn.get(key).is_some(), "{key} is missing");
    }
    assert!(turn["transcript"].is_null() && turn["sighting"].is_null());
    assert_eq!((turn["session"].as_str(), turn["turn"].as_u64()), (Some("demo-1"), Some(1)));
    for key in ["intent", "confidence", "in_scope", "entities", "sentiment"] {
        assert!(turn["understanding"].get(key).is_some(), "understanding.{key} is missing");
    }
    assert_eq!(turn["answer"]["kind"], "fact");

    let photo = "tests/photos/grocery/Lemon_005.jpg";
    let output =
        kioskd(room.path(), &["ask", "--audio", "audio_fixtures/how-much.slt.flac", "--photo", photo, "--session", "demo-1", "--json"]);
    let turn = &json_lines(&output)[0];
    assert_eq!(turn["turn"], 2);
    assert_eq!(turn["sighting"]["known"], true);
    for key in ["product", "label", "probability", "top"] {
        assert!(turn["sighting"].get(key).is_some(), "sighting.{key} is missing");
    }
    assert!(turn["transcript"]["confidence"].as_f64().is_some_and(|c| (0.0..=1.0).contains(&c)));
    assert!(turn["recommendations"].as_array().is_some_and(|r| r.iter().all(|r| r["reason"].is_string() && r["score"].is_number())));

    let shown = kioskd(room.path(), &["sessions", "show", "demo-1", "--json"]);
    assert_eq!(json_lines(&shown).len(), 2);
    let listed = kioskd(room.path(), &["sessions", "list", "--json"]);
    assert_eq!(json_lines(&listed)[0]["first_words"], "how much are the lemons");
    let exported = kioskd(room.path(), &["sessions", "export", "demo-1"]);
    let document: Value = serde_json::from_slice(&exported.stdout).expect("a document");
    assert_eq!(document["turns"].as_array().map(Vec::len), Some(2));
}

#[test]
fn transcribe_goes_on_after_a_file_that_cannot_be_read() {
    let room = room();
    let files = ["audio_fixtures/card.awb.flac", "audio_fixtures/bad/text.wav", "audio_fixtures/silence.wav"];
    let output = kioskd(room.path(), &[&["transcribe", "--json"][..], &files].concat());
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["text"], "Can I pay by card?");
    assert!(lines[0]["segments"][0]["end"].as_f64().is_some_and(|end| end > 0.5) && lines[0]["ms"].is_number());
    assert!(lines[0]["audio_ms"].as_f64().is_some_and(|ms| ms > 500.0));
    assert!(lines[1]["error"].is_string());
    assert_eq!(lines[2]["text"], "");
    check_refused(&output, 2, "1 of 3 files");
}

#[test]
fn every_bad_sound_is_refused_in_one_sentence_or_heard_as_far_as_it_goes() {
    let room = room();
    let bad = index("audio_fixtures/bad/index.jsonl");
    let paths: Vec<String> = bad.iter().map(|b| format!("audio_fixtures/bad/{}", b["file"].as_str().expect("file"))).collect();
    let arguments: Vec<&str> = ["transcribe", "--json"].into_iter().chain(paths.iter().map(String::as_str)).collect();
    let output = kioskd(room.path(), &arguments);
    let lines = json_lines(&output);
    assert_eq!(lines.len(), bad.len());
    for (line, bad) in lines.iter().zip(&bad) {
        let refused = line["error"].as_str().is_some_and(|e| !e.is_empty() && !e.contains('\n'));
        assert!(refused || bad["expect"] == "refuse_or_partial", "{} was accepted: {line}", bad["file"]);
    }
}

#[test]
fn classify_and_understand_print_a_line_for_each_input() {
    let room = room();
    let output = kioskd(room.path(), &["classify", "--json", "tests/photos/grocery/Banana_005.jpg", "tests/photos/unknown-page.jpg"]);
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[0]["label"].as_str(), lines[0]["known"].as_bool()), (Some("banana"), Some(true)));
    assert_eq!(lines[1]["known"], false);
    assert!(lines[0]["ms"].is_number() && lines[0]["top"][0]["probability"].is_number());

    let output =
        with_stdin(room.path(), &["understand", "--json"], b"how much is the oat milk\n\nwho is the president\nI hate this\n\xff\xfe\n");
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0]["intent"], "price");
    assert_eq!(lines[0]["entities"][0]["value"], "oatly-oat-drink");
    assert!(lines[1]["intent"].is_null());
    assert_eq!(lines[2]["in_scope"], false);
    assert!(lines[3]["sentiment"].as_f64().is_some_and(|s| (-1.0..-0.2).contains(&s)), "{}", lines[3]);
}

#[test]
fn chat_is_one_conversation() {
    let room = room();
    let output = with_stdin(room.path(), &["chat", "--json"], b"how much are the lemons\nand where are they\n");
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["session"], lines[1]["session"]);
    assert!(lines[1]["answer"]["text"].as_str().is_some_and(|text| text.contains("lemon") && text.contains("aisle")), "{}", lines[1]);
}

#[test]
fn mistakes_are_told_in_a_sentence_with_exit_code_2() {
    let room = room();
    let refused = |arguments: &[&str], contains: &str| check_refused(&kioskd(room.path(), arguments), 2, contains);
    refused(&["ask"], "nothing was asked");
    refused(&["ask", "--audio", "no-such-file.wav"], "no-such-file.wav");
    refused(&["ask", "--audio", "audio_fixtures/bad/empty.wav"], "empty");
    refused(&["ask", "--photo", "tests/photos/bad/text.jpg"], "no JPEG, PNG or WebP");
    refused(&["ask", "--photo", "tests/photos/bad/truncated.jpg"], "cut short");
    refused(&["ask", "--photo", "tests/photos/bad/bomb.png"], "");
    refused(&["ask", "--text", "x", "--session", "../../etc/passwd"], "cannot be a session");
    refused(&["sessions", "show", "nobody"], "");
    refused(&["models", "pull", "no-such-model"], "no model named");
    refused(&["models", "pull", "minilm"], "make setup");
    refused(&["evaluate", "photos", "--dir", ".", "--list", "README.md"], "expected `path, class_id, coarse_id`");
    refused(&["no-such-command"], "no-such-command");
}

#[test]
fn unknown_keys_and_senseless_values_of_the_config_are_refused_all_at_once() {
    let room = room();
    let file = room.path().join("kiosk.toml");
    let check = |text: &str, contains: &[&str]| {
        std::fs::write(&file, text).expect("writes");
        let output = kioskd(room.path(), &["--config", file.to_str().expect("a path"), "config", "check"]);
        contains.iter().for_each(|word| check_refused(&output, 2, word));
    };
    check("[speech]\ntrailing_silense_ms = 3", &["trailing_silense_ms"]);
    check("[speech]\nthreads = 0\n[turn]\nqueue = 0", &["speech.threads is 0", "turn.queue is 0"]);
    check("[speech]\nthreads = 4096", &["speech.threads"]);
    check("not toml at all [", &["kiosk.toml"]);
    let good = kioskd(room.path(), &["config", "check"]);
    assert!(good.status.success(), "{}", stderr(&good));
}

#[test]
fn a_shop_that_contradicts_itself_is_refused_with_file_and_line() {
    let room = room();
    let shop = room.path().join("shop");
    copy_folder(&common::path("config"), &shop);
    let catalog = shop.join("catalog.toml");
    let text = std::fs::read_to_string(&catalog).expect("the catalog");
    let broken =
        format!("{text}\n[[product]]\nsku = \"lemon\"\nname = \"lemon\"\ncategory = \"citrus\"\nprice_cents = -5\nunit = \"piece\"\n");
    std::fs::write(&catalog, broken).expect("writes");
    let config = shop.join("kiosk.toml");
    let settings = format!("[paths]\nmodels = {:?}\n", common::path("models"));
    std::fs::write(&config, settings).expect("writes");
    let output = kioskd(room.path(), &["--config", config.to_str().expect("a path"), "config", "check"]);
    for word in ["catalog.toml, line", "price_cents = -5", "has the sku of the product in line"] {
        check_refused(&output, 2, word);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").filter_map(Result::ok) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy_folder(&entry.path(), &target) } else { assert!(std::fs::copy(entry.path(), target).is_ok()) }
    }
}

#[test]
fn a_model_that_is_missing_cut_or_altered_never_reaches_native_code() {
    let room = room();
    let models = room.path().join("models");
    std::fs::create_dir_all(models.join("fetched/whisper")).expect("a folder");
    let manifest = std::fs::read_to_string(common::path("models/manifest.toml")).expect("the manifest");
    std::fs::write(models.join("manifest.toml"), manifest).expect("writes");
    for part in ["fetched/minilm", "fetched/silero", "fetched/onnxruntime", "grocery-classifier-first", "gallery", "sentiment", "behavior"]
    {
        copy_folder(&common::path("models").join(part), &models.join(part));
    }
    let config = room.path().join("kiosk.toml");
    std::fs::write(&config, format!("[paths]\nshop = {:?}\nmodels = \"models\"\ndata = \"var\"\n", common::path("config")))
        .expect("writes");
    let whisper = models.join("fetched/whisper/ggml-tiny.en-short.bin");
    let transcribe = || {
        let arguments = ["--config", config.to_str().expect("a path"), "transcribe", "audio_fixtures/card.awb.flac"];
        kioskd(room.path(), &arguments)
    };
    check_refused(&transcribe(), 1, "is missing; `make setup` provides it");
    let mut bytes = std::fs::read(common::model("tiny.en-short").path()).expect("the model");
    std::fs::write(&whisper, &bytes[..200_000]).expect("writes");
    check_refused(&transcribe(), 1, "has 200000 bytes, but models/manifest.toml lists 77704715");
    bytes[5_000_000] ^= 1;
    std::fs::write(&whisper, &bytes).expect("writes");
    check_refused(&transcribe(), 1, "has sha256");
    bytes[5_000_000] ^= 1;
    std::fs::write(&whisper, &bytes).expect("writes");
    assert!(transcribe().status.success());
}

#[test]
fn the_same_log_is_not_written_by_two() {
    let room = room();
    let lock = std::fs::File::create(room.path().join("sessions.sqlite.lock")).expect("the lock file");
    lock.lock().expect("locks");
    check_refused(&kioskd(room.path(), &["ask", "--text", "hello"]), 1, "in use by another kioskd");
    lock.unlock().expect("unlocks");
    assert!(kioskd(room.path(), &["ask", "--text", "hello"]).status.success());
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_nothing_is_left_behind() {
    // A file where the folder should be: it cannot be written even by root, whom a read-only mark does not stop.
    let room = room();
    let file = room.path().join("occupied");
    std::fs::write(&file, "x").expect("writes");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_kioskd"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["--data-dir", file.to_str().expect("a path"), "ask", "--text", "hello"])
        .output()
        .expect("runs");
    check_refused(&output, 1, "cannot be written");
    assert_eq!(std::fs::read_to_string(&file).expect("still there"), "x");
}

#[test]
fn doctor_says_what_there_is_and_every_shell_has_completions() {
    let room = room();
    let output = kioskd(room.path(), &["doctor", "--json"]);
    let lines = json_lines(&output);
    assert!(output.status.success(), "{}", stdout(&output));
    for check in ["processor", "shop", "onnxruntime", "model", "whisper", "disk", "microphone", "camera", "gpu"] {
        assert!(lines.iter().any(|line| line["check"] == check && line["finding"].is_string()), "{check} was not checked");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&kioskd(room.path(), &["completions", shell]));
        assert!(script.contains("kioskd") && script.contains("transcribe"), "{shell}");
    }
}

#[test]
fn photos_are_evaluated_with_an_interval_and_strangers_with_a_rate() {
    let room = room();
    let list = room.path().join("list.txt");
    let lines = ["Granny-Smith_001.jpg, 1, 0", "Banana_005.jpg, 6, 2", "Arla-Standard-Milk_001.jpg, 41, 20"];
    std::fs::write(&list, lines.join("\n")).expect("writes");
    let unknown = room.path().join("unknown");
    std::fs::create_dir(&unknown).expect("a folder");
    std::fs::copy(common::path("tests/photos/unknown-page.jpg"), unknown.join("page.jpg")).expect("copies");
    let list = list.to_str().expect("a path");
    let unknown = unknown.to_str().expect("a path");
    let output =
        kioskd(room.path(), &["evaluate", "photos", "--dir", "tests/photos/grocery", "--list", list, "--unknown", unknown, "--json"]);
    let report = json_lines(&output).pop().unwrap_or_else(|| panic!("{}", stderr(&output)));
    for key in ["photos", "fine_accuracy", "coarse_accuracy", "macro_recall", "ece", "ms_per_photo", "auroc", "unknown_rejected_at_95"] {
        assert!(report[key].is_number(), "{key}: {report}");
    }
    assert_eq!(report["photos"], 3);
}

#[test]
fn words_and_photo_together_are_measured_against_each_alone() {
    let room = room();
    let list = room.path().join("list.txt");
    let lines = ["Granny-Smith_001.jpg, 1, 0", "Banana_005.jpg, 6, 2", "Bravo-Orange-Juice_002.jpg, 29, 19"];
    std::fs::write(&list, lines.join("\n")).expect("writes");
    let list = list.to_str().expect("a path");
    let arguments = ["evaluate", "fusion", "--dir", "tests/photos/grocery", "--list", list, "--json"];
    let output = kioskd(room.path(), &arguments);
    let report = json_lines(&output).pop().unwrap_or_else(|| panic!("{}", stderr(&output)));
    assert_eq!(report["trials"], 12, "each photo as it is and spoilt in three ways: {report}");
    for key in ["photo", "words", "fused", "gain_over_photo", "gain_over_words"] {
        let figure = &report["all"][key];
        assert!(figure["value"].is_number() && figure["low"].is_number() && figure["high"].is_number(), "{key}: {report}");
    }
    assert_eq!(json_lines(&kioskd(room.path(), &arguments)).pop(), Some(report), "the seed is fixed");
}

#[test]
fn rules_of_baskets_are_one_object_a_line_and_mistakes_are_told() {
    let room = room();
    let file = room.path().join("baskets.csv");
    std::fs::write(&file, "bread,butter\nbread,butter,milk\n\nmilk,bread\n").expect("writes");
    let file = file.to_str().expect("UTF-8");
    let output = kioskd(room.path(), &["insight", "rules", "--data", file, "--min-support", "0.5", "--min-confidence", "0.9", "--json"]);
    let rules = json_lines(&output);
    assert_eq!(rules.len(), 2, "{rules:?}");
    assert!(rules.iter().all(|rule| rule["then"][0] == "bread" && rule["confidence"] == 1.0 && rule["lift"] == 1.0), "{rules:?}");
    let empty = room.path().join("empty.csv");
    std::fs::write(&empty, "\n").expect("writes");
    let refused = kioskd(room.path(), &["insight", "rules", "--data", empty.to_str().expect("UTF-8")]);
    assert_eq!(refused.status.code(), Some(2));
    let refused = kioskd(room.path(), &["insight", "rules", "--data", file, "--min-support", "7"]);
    assert_eq!(refused.status.code(), Some(2));
}
