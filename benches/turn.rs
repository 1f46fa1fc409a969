//! The whole turn: a spoken request of 2.9 seconds with a photo, from the end of speech to the committed answer.
//!
//! Prints the median of each stage and of the whole, the memory of the process and the time to ready beside criterion's own figures;
//! docs/results/turn.md quotes them.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use criterion::Criterion;
use kioskd::domain::{Channel, TurnRecord};
use kioskd::turn::{Spoken, TurnInput};

const AUDIO: &str = "audio_fixtures/latte.heart.flac";
const PHOTO: &str = "tests/photos/grocery/Granny-Smith_001.jpg";

fn input() -> TurnInput {
    let read = |file: &str| std::fs::read(common::path(file)).expect(file);
    TurnInput { spoken: Some(Spoken::File(read(AUDIO))), photo: Some(read(PHOTO)), text: None }
}

fn median(mut values: Vec<f32>) -> f32 {
    values.sort_by(f32::total_cmp);
    values[values.len() / 2]
}

/// Resident memory of this process in MB, from the kernel.
fn resident_mb() -> f32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").trim().parse::<f32>().unwrap_or(0.0) / 1_024.0
}

fn print_stages(turns: &[TurnRecord]) {
    let names: Vec<&str> = turns[0].timings.iter().map(|(name, _)| name).collect();
    for name in names {
        println!("  {name:<16} {:>7.1} ms", median(turns.iter().filter_map(|turn| turn.timings.get(name)).collect()));
    }
}

fn main() {
    // As in the program: candle on one thread.
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", "1") };
    let room = tempfile::tempdir().expect("a folder");
    drop(common::config(room.path()));
    let begun = Instant::now();
    let desk = common::desk(room.path());
    let ready = begun.elapsed();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let session = runtime.block_on(desk.open_session(Channel::Kiosk)).expect("begins");
    let take = || runtime.block_on(desk.take(&session, Channel::Kiosk, input())).expect("a turn");
    take();
    let turns: Vec<TurnRecord> = (0..31).map(|_| take()).collect();
    println!("medians of {} turns, {AUDIO} with {PHOTO}:", turns.len());
    print_stages(&turns);
    println!("ready after {:.2} s, resident memory at most {:.0} MB", ready.as_secs_f32(), resident_mb());
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    criterion.bench_function("turn/spoken question with photo", |b| b.iter(take));
    criterion.final_summary();
}
