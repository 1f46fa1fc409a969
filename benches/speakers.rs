//! Several people who speak at the same time, in real time: how long after the end of an utterance is known its words are there, and what
//! a further speaker costs in memory. docs/results/speech.md quotes the table.
//!
//! Each speaker has a thread and an ear of its own; the networks under the ears (voice detector, end of turn) and the desk's recognisers are
//! in common. Sound arrives in frames of 32 ms as from a microphone; a frame that cannot be looked at in time waits, and "behind" is the
//! longest that one waited. Before the first row every question is heard once, so that what recognisers need at first use is no speaker's.

#[path = "../tests/common/mod.rs"]
mod common;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use kioskd::audio::{FRAME_SAMPLES, SmartTurn, Vad, decode_file};
use kioskd::config::Config;
use kioskd::domain::{Channel, SAMPLE_RATE};
use kioskd::turn::{Desk, Ear, HeardSound, Step, Stretch, TurnError};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

const SPEAKERS: [usize; 4] = [1, 2, 4, 8];
/// How long each number of speakers is listened to.
const LISTEN: Duration = Duration::from_secs(40);
const FRAME: Duration = Duration::from_millis(1_000 * FRAME_SAMPLES as u64 / SAMPLE_RATE as u64);
/// Between two questions of one speaker.
const PAUSE_S: f32 = 2.0;
const QUESTIONS: [&str; 6] = ["apples.heart", "bananas.heart", "how-much.heart", "latte.heart", "offers.slt", "lactose.heart"];

/// What one speaker went through.
#[derive(Default)]
struct Heard {
    /// From the decision that the utterance is over until its words were there, in ms; 0 where they were there before.
    waits_ms: Vec<f32>,
    busy: usize,
    behind_ms: f32,
}

/// A recognition that was begun at the first silence.
type Early = (Stretch, JoinHandle<Result<HeardSound, TurnError>>);

fn main() {
    let room = tempfile::tempdir().expect("a folder");
    let desk = Arc::new(common::desk(room.path()));
    let runtime = Runtime::new().expect("a runtime");
    let networks = Networks::load();
    warm_up(&desk, &runtime);
    println!(
        "{:<9} {:>10} {:>9} {:>9} {:>9} {:>6} {:>10} {:>11}",
        "speakers", "questions", "p50 ms", "p95 ms", "max ms", "busy", "behind ms", "memory MB"
    );
    for speakers in SPEAKERS {
        let before = resident_mb();
        let heard = thread::scope(|scope| {
            let threads: Vec<_> = (0..speakers)
                .map(|n| (Arc::clone(&desk), n))
                .map(|(desk, n)| {
                    scope.spawn({
                        let (runtime, networks) = (&runtime, &networks);
                        move || listen(&desk, runtime, networks, n)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("a speaker is heard to the end")).collect::<Vec<_>>()
        });
        let mut waits: Vec<f32> = heard.iter().flat_map(|h| h.waits_ms.iter().copied()).collect();
        waits.sort_by(f32::total_cmp);
        let at =
            |share: f32| waits.get(((waits.len() as f32 * share) as usize).min(waits.len().saturating_sub(1))).copied().unwrap_or(f32::NAN);
        let behind = heard.iter().map(|h| h.behind_ms).fold(0.0, f32::max);
        let busy: usize = heard.iter().map(|h| h.busy).sum();
        println!(
            "{speakers:<9} {:>10} {:>9.0} {:>9.0} {:>9.0} {busy:>6} {behind:>10.0} {:>11.1}",
            waits.len(),
            at(0.5),
            at(0.95),
            at(1.0),
            resident_mb() - before
        );
    }
}

/// What all ears listen with.
struct Networks {
    vad: Vad,
    smart_turn: SmartTurn,
}

impl Networks {
    fn load() -> Self {
        let onnx = common::runtime();
        let vad = Vad::load(&onnx, &common::model("silero-vad")).expect("loads");
        let smart_turn = SmartTurn::load(&onnx, &common::model("smart-turn-v3.2")).expect("loads");
        let silence = vec![0.0; SAMPLE_RATE as usize];
        smart_turn.complete(&silence).expect("runs");
        Self { vad, smart_turn }
    }
}

/// Every question once, two at a time, as there are two recognisers on two cores.
fn warm_up(desk: &Desk, runtime: &Runtime) {
    let config = Config::read(&common::path("config/kiosk.toml")).expect("config");
    runtime.block_on(async {
        let (one, two) =
            (desk.open_session(Channel::Kiosk).await.expect("begins"), desk.open_session(Channel::Kiosk).await.expect("begins"));
        for question in QUESTIONS {
            let file = common::path(&format!("audio_fixtures/{question}.flac"));
            let pcm = decode_file(&file, config.audio.file_limits()).expect("decodes").pcm;
            let (first, second) = tokio::join!(desk.recognise(&one, pcm.clone()), desk.recognise(&two, pcm));
            first.and(second).expect("hears");
        }
    });
}

fn listen(desk: &Arc<Desk>, runtime: &Runtime, networks: &Networks, number: usize) -> Heard {
    let config = Config::read(&common::path("config/kiosk.toml")).expect("config");
    let mut ear = Ear::new(networks.vad.sibling(), Some(networks.smart_turn.clone()), config.audio.endpoint.clone()).expect("an ear");
    let session = runtime.block_on(desk.open_session(Channel::Kiosk)).expect("begins");
    let sound = speech(number, &config);
    let mut heard = Heard::default();
    let mut early: Option<Early> = None;
    let begun = Instant::now();
    for (count, frame) in sound.chunks_exact(FRAME_SAMPLES).cycle().enumerate() {
        let due = begun + FRAME * count as u32;
        if due.duration_since(begun) > LISTEN {
            break;
        }
        match due.checked_duration_since(Instant::now()) {
            Some(wait) => thread::park_timeout(wait),
            None => heard.behind_ms = heard.behind_ms.max(due.elapsed().as_secs_f32() * 1_000.0),
        }
        let frame = frame.try_into().expect("a whole frame");
        match ear.hear(frame).expect("hears") {
            Step::Likely(stretch, pcm) => {
                let (desk, session) = (Arc::clone(desk), session.clone());
                early = Some((stretch, runtime.spawn(async move { desk.recognise(&session, pcm).await })));
                ear.weigh_sound();
            }
            Step::Utterance(stretch, pcm, _) => {
                let known = Instant::now();
                let words = match early.take() {
                    Some((decoded, job)) if decoded == stretch => runtime.block_on(job).expect("no panic"),
                    _ => runtime.block_on(desk.recognise(&session, pcm)),
                };
                match words {
                    Ok(_) => heard.waits_ms.push(known.elapsed().as_secs_f32() * 1_000.0),
                    Err(_) => heard.busy += 1,
                }
            }
            Step::Nothing | Step::Partial(_) => {}
        }
        if let Some((stretch, job)) = early.take_if(|(_, job)| job.is_finished())
            && let Ok(Ok(words)) = runtime.block_on(job)
        {
            ear.said_so_far(stretch, &words.heard, None);
            early = Some((stretch, runtime.spawn(async move { Ok(words) })));
        }
    }
    heard
}

/// Questions of one speaker, one after the other, each speaker in another order and at another time.
fn speech(number: usize, config: &Config) -> Vec<f32> {
    let mut sound = vec![0.0; number * SAMPLE_RATE as usize / 2];
    for at in 0..QUESTIONS.len() {
        let file = format!("audio_fixtures/{}.flac", QUESTIONS[(at + number) % QUESTIONS.len()]);
        let question = decode_file(&common::path(&file), config.audio.file_limits()).expect("decodes").pcm;
        sound.extend_from_slice(question.samples());
        sound.extend(std::iter::repeat_n(0.0, (PAUSE_S * SAMPLE_RATE as f32) as usize));
    }
    sound
}

/// Resident memory of this process in MB, from the kernel.
fn resident_mb() -> f32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").trim().parse::<f32>().unwrap_or(0.0) / 1_024.0
}
