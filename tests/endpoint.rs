//! Turns end when the speaker is done: real voices with pauses put in, through the real detector, end-of-turn model and recogniser.

mod common;

use common::{manifest, model, path, runtime, words};
use kioskd::audio::{AudioConfig, AudioError, EndpointConfig, Framer, SmartTurn, Vad, decode_file};
use kioskd::domain::{EndedBy, Heard, Pcm16k, Probability, SAMPLE_RATE};
use kioskd::speech::grammar::Grammar;
use kioskd::speech::{Request, SpeechConfig, Transcriber};
use kioskd::turn::{Ear, Hearing, Step, Stretch};

const SMART_TURN: &str = "smart-turn-v3.2";

/// The end-of-turn model; where it was not fetched, the test says so and ends.
macro_rules! smart_turn_or_skip {
    () => {
        match manifest().verify(SMART_TURN) {
            Ok(file) => SmartTurn::load(&runtime(), &file).expect("loads"),
            Err(error) => {
                eprintln!("SKIPPED: {error}; `make setup` fetches it");
                return;
            }
        }
    };
}

fn fixture(file: &str) -> Vec<f32> {
    let file = path("audio_fixtures").join(file);
    decode_file(&file, AudioConfig::default().file_limits()).expect("a fixture").pcm.samples().to_vec()
}

fn ms(samples: usize) -> u64 {
    samples as u64 * 1_000 / u64::from(SAMPLE_RATE)
}

/// A quiet room at -66 dBFS: digital silence is easier than any room.
fn quiet(ms: usize) -> Vec<f32> {
    let mut seed = 1_u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) as f32 / 65_536.0 - 0.5
    };
    (0..ms * SAMPLE_RATE as usize / 1_000).map(|_| noise() * 0.001_7).collect()
}

fn hearing() -> Hearing {
    let name = SpeechConfig::default().model;
    let short_window = manifest().entry(&name).expect("listed").short_window;
    let transcriber = Transcriber::load(&model(&name), short_window, SpeechConfig::default()).expect("loads");
    Hearing {
        vad: Vad::load(&runtime(), &model("silero-vad")).expect("loads"),
        transcriber,
        endpoint: EndpointConfig::default(),
        orders: None,
    }
}

/// A turn as it was found: where, when that was told, what was said.
struct Turn {
    stretch: Stretch,
    told_ms: u64,
    ended_by: EndedBy,
    said: Vec<String>,
}

impl Turn {
    /// From the last sound to the answer; what was kept ends with the hang-over after it.
    fn waited_ms(&self) -> u64 {
        self.told_ms + 160 - self.stretch.to_ms
    }
}

fn ear(smart_turn: SmartTurn) -> Ear {
    let vad = Vad::load(&runtime(), &model("silero-vad")).expect("loads");
    Ear::new(vad, Some(smart_turn), EndpointConfig::default()).expect("an ear")
}

/// Feeds a sound to an ear as `kioskd listen` does, with time as the number of frames.
fn listen(sound: &[f32], ear: &mut Ear) -> Vec<Turn> {
    let orders = Grammar::parse(include_str!("../config/grammars/coffee.toml")).expect("the shipped grammar");
    let mut hearing = hearing();
    let mut hear = |pcm: &Pcm16k| hearing.hear(pcm, &Request::default()).expect("hears").heard;
    let mut frames = Vec::new();
    let mut framer = Framer::default();
    let Ok(()) = framer.push(sound, |frame| {
        frames.push(*frame);
        Ok::<_, std::convert::Infallible>(())
    });
    let mut turns = Vec::new();
    for frame in &frames {
        match ear.hear(frame).expect("hears") {
            Step::Nothing | Step::Partial(_) => {}
            Step::Likely(stretch, pcm) => {
                ear.weigh_sound();
                let heard = hear(&pcm);
                let standing = if let Heard::Words(transcript) = &heard { Some(orders.standing(&transcript.text)) } else { None };
                ear.said_so_far(stretch, &heard, standing);
            }
            Step::Utterance(stretch, pcm, ended_by) => {
                let said = if let Heard::Words(transcript) = hear(&pcm) { words(&transcript.text) } else { Vec::new() };
                turns.push(Turn { stretch, told_ms: ear.now_ms(), ended_by, said });
            }
        }
    }
    turns
}

/// One row of the table: parts in order, and what each turn must say.
enum Part {
    /// A fixture, whole.
    Clip(&'static str),
    /// A fixture between two shares of its length.
    Some(&'static str, f32, f32),
    /// So many milliseconds of quiet room.
    Quiet(usize),
}

/// What a row plays.
fn sound_of(parts: &[Part]) -> Vec<f32> {
    let mut sound = Vec::new();
    for part in parts {
        match part {
            Part::Clip(file) => sound.extend(fixture(file)),
            Part::Some(file, from, to) => {
                let clip = fixture(file);
                let at = |share: &f32| (clip.len() as f32 * share) as usize;
                sound.extend_from_slice(&clip[at(from)..at(to)]);
            }
            Part::Quiet(ms) => sound.extend(quiet(*ms)),
        }
    }
    sound
}

/// What is played, how each turn begins and ends in words, and the longest wait after the last sound in milliseconds.
type Row = (&'static [Part], &'static [[&'static str; 2]], u64);

#[test]
fn turns_end_where_the_speaker_is_done_and_no_word_is_lost() {
    use Part::{Clip, Quiet, Some};
    let table: [Row; 5] = [
        (&[Quiet(600), Clip("how-much.heart.flac"), Quiet(2_500)], &[["how", "this"]], 900),
        (
            &[Quiet(600), Clip("apples.heart.flac"), Quiet(2_500), Clip("bananas.heart.flac"), Quiet(2_500)],
            &[["how", "apples"], ["where", "from"]],
            900,
        ),
        // A second and more in the middle of an order: "I would like a large | latte with oat milk, please."
        (
            &[Quiet(600), Some("latte.heart.flac", 0.0, 0.37), Quiet(1_200), Some("latte.heart.flac", 0.37, 1.0), Quiet(2_500)],
            &[["i", "please"]],
            400,
        ),
        (
            &[
                Quiet(600),
                Some("cappuccino.heart-low.flac", 0.0, 0.55),
                Quiet(900),
                Some("cappuccino.heart-low.flac", 0.55, 1.0),
                Quiet(2_500),
            ],
            &[["can", "sugar"]],
            400,
        ),
        // Milk and sugar may still follow.
        (&[Quiet(600), Clip("recorded/order-single-latte.flac"), Quiet(2_500)], &[["may", "latte"]], 900),
    ];
    for (row, (parts, expected, longest_ms)) in table.into_iter().enumerate() {
        let smart_turn = smart_turn_or_skip!();
        let sound = sound_of(parts);
        let turns = listen(&sound, &mut ear(smart_turn));
        let ends: Vec<_> =
            turns.iter().map(|turn| [turn.said.first().cloned(), turn.said.last().cloned()].map(Option::unwrap_or_default)).collect();
        assert_eq!(ends, expected, "row {row}");
        for turn in &turns {
            assert_eq!(turn.ended_by, EndedBy::Silence, "row {row}");
            let waited_ms = turn.waited_ms();
            assert!((224..=longest_ms).contains(&waited_ms), "row {row}: waited {waited_ms} ms");
        }
        assert!(turns.last().is_some_and(|turn| turn.told_ms < ms(sound.len())), "row {row}");
    }
}

#[test]
fn how_long_an_order_waits_for_more_follows_what_people_here_do() {
    let order = sound_of(&[Part::Quiet(600), Part::Clip("recorded/order-single-latte.flac"), Part::Quiet(2_900)]);
    let mut nobody_adds = ear(smart_turn_or_skip!());
    let waits: Vec<u64> = (0..3).flat_map(|_| listen(&order, &mut nobody_adds)).map(|turn| turn.waited_ms()).collect();
    assert!(waits.len() == 3 && waits[2] <= 320 && waits[2] < waits[0], "{waits:?}");

    // "I would like a large latte | with oat milk, please."
    let latte = |from, to| Part::Some("latte.heart.flac", from, to);
    let order = sound_of(&[Part::Quiet(600), latte(0.0, 0.45), Part::Quiet(1_300), latte(0.45, 1.0), Part::Quiet(2_900)]);
    let mut most_add = ear(smart_turn_or_skip!());
    let turns: Vec<usize> = (0..6).map(|_| listen(&order, &mut most_add).len()).collect();
    assert_eq!((turns[0], turns[5]), (2, 1), "{turns:?}");
}

#[test]
fn the_model_says_what_it_says_in_its_own_program() {
    let smart_turn = smart_turn_or_skip!();
    // Printed by `benches/endpoint/reference.py turn`: the whole clip, and its first 60 %.
    for (file, whole, part) in [("latte.heart.flac", 0.986_523, 0.011_535), ("recorded/order-mocha.flac", 0.988_905, 0.988_465)] {
        let samples = fixture(file);
        let done = |samples: &[f32]| smart_turn.complete(samples).map(Probability::get).expect("runs");
        let found = [done(&samples), done(&samples[..samples.len() * 6 / 10])];
        assert!((found[0] - whole).abs() < 1e-3 && (found[1] - part).abs() < 1e-3, "{file}: {found:?}, expected {whole} and {part}");
    }
    assert!(smart_turn.complete(&[]).is_ok(), "nothing is no trouble");
}

#[test]
fn another_model_is_refused() {
    let refused = SmartTurn::load(&runtime(), &model("silero-vad")).err().expect("refused");
    assert!(matches!(refused, AudioError::EndOfTurnContract { .. }), "{refused}");
}
