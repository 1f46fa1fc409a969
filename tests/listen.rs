//! Somebody speaks into the microphone and is answered, by the program itself.

#![cfg(target_os = "linux")]

mod common;
#[path = "common/fake_microphone.rs"]
mod fake_microphone;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use common::{command, path};
use fake_microphone::{MICROPHONE, PulseAudio, RATE, alsa_config, server_address, write_sound};
use kioskd::audio::{AudioConfig, decode_file};
use kioskd::domain::SAMPLE_RATE;
use serde_json::Value;

/// Ends the program whatever happens.
struct Listening(Child);

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Two seconds of quiet, the question, and quiet again, at the microphone's rate.
fn question(file: &str) -> impl Iterator<Item = f32> {
    let sound = decode_file(&path(file), AudioConfig::default().file_limits()).expect(file);
    let quiet = std::iter::repeat_n(0.0, 2 * SAMPLE_RATE as usize);
    let samples: Vec<f32> = quiet.clone().chain(sound.pcm.samples().to_vec()).chain(quiet).collect();
    // Three samples for one, on the line between neighbours: enough for speech.
    let times = (RATE / SAMPLE_RATE) as usize;
    let next = |at: usize| samples.get(at + 1).copied().unwrap_or(0.0);
    let between: Vec<f32> = (0..samples.len() * times)
        .map(|n| (n / times, (n % times) as f32 / times as f32))
        .map(|(at, part)| samples[at] + (next(at) - samples[at]) * part)
        .collect();
    between.into_iter()
}

#[test]
fn a_question_into_the_microphone_is_answered_with_partial_words_before() {
    let room = tempfile::tempdir().expect("a folder");
    let sound = room.path().join("question.raw");
    write_sound(&sound, question("audio_fixtures/apples.heart.flac"));
    let config = alsa_config(room.path(), &sound);
    let _server = PulseAudio::start(room.path());
    // The server may still be starting: a microphone that is not there yet is told at once, so it is asked for again.
    for _ in 0..20 {
        let mut command = command(&room.path().join("data"), &["listen", "--device", MICROPHONE, "--turns", "1", "--json"]);
        command.env("ALSA_CONFIG_PATH", &config).env("PULSE_SERVER", server_address(room.path()));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let mut listening = Listening(child);
        let stdout = listening.0.stdout.take().expect("stdout");
        let stderr = listening.0.stderr.take().expect("stderr");
        let told = std::thread::spawn(move || BufReader::new(stderr).lines().map_while(Result::ok).collect::<Vec<_>>());
        let Some(Ok(line)) = BufReader::new(stdout).lines().next() else {
            let told = told.join().expect("reads").join(" ");
            assert!(told.contains("microphone") || told.contains("device"), "{told}");
            continue;
        };
        let turn: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert_eq!(turn["transcript"]["text"].as_str().map(str::to_lowercase).as_deref(), Some("how much are the granny smith apples?"));
        assert!(turn["answer"]["text"].as_str().is_some_and(|text| text.contains("79 cents")), "{turn}");
        assert!(listening.0.wait().expect("ends").success());
        let told = told.join().expect("reads");
        assert!(told.iter().any(|line| line.trim_start().starts_with("... ")), "words were shown while they were spoken: {told:?}");
        return;
    }
    panic!("the microphone did not come; is libasound2-plugins installed? `make test-packages` does it");
}
