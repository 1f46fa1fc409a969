//! What the short window brings: the same clips, the same weights (tiny.en, f16), one thread, in one run.
//!
//! Left, whisper.cpp as it is when left alone: the public weights and a window of 30 s. Right, what ships: the weights with the
//! short-window adapter, and a window as long as the utterance. Prints a row a clip, the ratio of the totals, and where words differ.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use kioskd::audio::{AudioConfig, Vad, decode_file, pieces};
use kioskd::domain::{Heard, Pcm16k};
use kioskd::speech::{Request, SpeechConfig, Transcriber, Window};

/// Each clip is heard so often, and the quickest counts: what else the machine does only adds time.
const ROUNDS: usize = 2;

fn recogniser(name: &str) -> Transcriber {
    let short_window = common::manifest().entry(name).expect("listed").short_window;
    let config = SpeechConfig { model: name.to_owned(), ..SpeechConfig::default() };
    Transcriber::load(&common::model(name), short_window, config).expect("loads")
}

fn hear(recogniser: &mut Transcriber, utterances: &[Pcm16k], window: Window) -> (Duration, String) {
    let mut best = Duration::MAX;
    let mut text = String::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let heard = utterances.iter().map(|pcm| recogniser.transcribe(pcm, &Request { window, ..Request::default() }).expect("hears"));
        let words = heard.filter_map(|heard| if let Heard::Words(t) = heard { Some(t.text) } else { None });
        text = words.collect::<Vec<_>>().join(" ");
        best = best.min(begun.elapsed());
    }
    (best, text)
}

fn main() {
    let (mut full, mut short) = (recogniser("tiny.en-f16"), recogniser("tiny.en-short"));
    let mut vad = Vad::load(&common::runtime(), &common::model("silero-vad")).expect("loads");
    let config = AudioConfig::default();
    let spoken = |folder: &str, index: &str| {
        let clips = common::index(index).into_iter().filter(|clip| clip["text"].as_str().is_some_and(|text| !text.is_empty()));
        clips.map(|clip| format!("{folder}{}", clip["file"].as_str().expect("file"))).collect::<Vec<_>>()
    };
    let mut files = spoken("", "audio_fixtures/index.jsonl");
    // Ten questions in a row are ten times one.
    files.retain(|file| !file.starts_with("ten-questions"));
    files.extend(spoken("recorded/", "audio_fixtures/recorded/index.jsonl"));
    let (mut total_full, mut total_short, mut same, mut seconds) = (Duration::ZERO, Duration::ZERO, 0, 0.0);
    println!("{:<40} {:>6} {:>9} {:>9} {:>6}", "clip", "s", "30 s, ms", "own, ms", "ratio");
    for file in &files {
        let sound = decode_file(&common::path("audio_fixtures").join(file), config.file_limits()).expect(file);
        let cut = pieces(&sound.pcm, &mut vad, &config.endpoint).expect("cuts");
        let utterances: Vec<Pcm16k> = cut.into_iter().map(|piece| piece.utterance.pcm).collect();
        let (slow, expected) = hear(&mut full, &utterances, Window::Full);
        let (quick, found) = hear(&mut short, &utterances, Window::Utterance);
        let length: f32 = utterances.iter().map(Pcm16k::seconds).sum();
        let ms = |d: Duration| d.as_secs_f64() * 1_000.0;
        println!("{file:<40} {length:>6.2} {:>9.1} {:>9.1} {:>6.1}", ms(slow), ms(quick), slow.as_secs_f64() / quick.as_secs_f64());
        let (a, b) = (common::words(&expected), common::words(&found));
        if a == b {
            same += 1
        } else {
            println!("    30 s: {expected}\n    own:  {found}")
        }
        (total_full, total_short, seconds) = (total_full + slow, total_short + quick, seconds + length);
    }
    println!(
        "\n{} clips, {seconds:.1} s of speech: {:.2} s against {:.2} s, {:.1} times faster; the same words in {same} of {}",
        files.len(),
        total_full.as_secs_f64(),
        total_short.as_secs_f64(),
        total_full.as_secs_f64() / total_short.as_secs_f64(),
        files.len()
    );
}
