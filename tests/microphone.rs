//! The kiosk listens to a real microphone and survives its being unplugged.
//!
//! The microphone is a fake one below all of our code: ALSA plays a file into it, at the pace of a PulseAudio server that only this test
//! uses. Killing that server is what pulling the plug looks like. Nothing here sleeps: every wait is for an event, with a bound.

#![cfg(target_os = "linux")]

#[path = "common/fake_microphone.rs"]
mod fake_microphone;

use std::f32::consts::{SQRT_2, TAU};
use std::path::Path;
use std::time::{Duration, Instant};

use fake_microphone::{MICROPHONE, PulseAudio, RATE, alsa_config, server_address, write_sound};

use kioskd::audio::{FRAME_SAMPLES, Microphone, MicrophoneEvent, devices};

/// Bound of every wait. The slowest start measured on a busy machine was 1.7 s; looking for a lost microphone takes up to 5 s a time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Gives ALSA a tone of 440 Hz, at half of full scale, as a microphone. Must happen before anything asks ALSA. The tone is long enough
/// for the whole test: at its end the file begins anew.
fn plug_in(room: &Path) {
    let tone = room.join("tone.raw");
    write_sound(&tone, (0..RATE * 10).map(|n| 0.5 * (TAU * 440.0 * n as f32 / RATE as f32).sin()));
    let config = alsa_config(room, &tone);
    // SAFETY: this is the only test of this program, and no other thread runs yet that could read the environment.
    unsafe {
        std::env::set_var("ALSA_CONFIG_PATH", config);
        std::env::set_var("PULSE_SERVER", server_address(room));
    }
}

/// Opens the microphone, as soon as the server answers.
fn open() -> Microphone {
    let since = Instant::now();
    loop {
        match Microphone::open(Some(MICROPHONE)) {
            Ok(microphone) => return microphone,
            Err(error) => assert!(since.elapsed() < PATIENCE, "{error}; is libasound2-plugins installed? `make test-packages` does it"),
        }
    }
}

/// Waits for the first event that is `wanted`; all others are let go.
#[track_caller]
fn wait_for(microphone: &Microphone, mut wanted: impl FnMut(&MicrophoneEvent) -> bool) -> MicrophoneEvent {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        match microphone.next(Duration::from_millis(100)).unwrap() {
            Some(event) if wanted(&event) => return event,
            _ => {}
        }
    }
    panic!("no such event came within {} s", PATIENCE.as_secs());
}

/// Waits until the tone is heard: at its level, and at its pitch.
#[track_caller]
fn hear_the_tone(microphone: &Microphone) {
    wait_for(microphone, |event| {
        let MicrophoneEvent::Frame(frame) = event else { return false };
        let rms = (frame.iter().map(|sample| sample * sample).sum::<f32>() / FRAME_SAMPLES as f32).sqrt();
        let crossings = frame.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        (rms - 0.5 / SQRT_2).abs() < 0.02 && (13..=15).contains(&crossings)
    });
}

#[test]
fn a_microphone_that_is_unplugged_and_plugged_in_again_goes_on_being_heard() {
    let room = tempfile::tempdir().unwrap();
    plug_in(room.path());

    let server = PulseAudio::start(room.path());
    let microphone = open();
    hear_the_tone(&microphone);
    let listed = devices().unwrap();
    assert!(listed.iter().any(|device| device.id == "alsa:kioskmic" && device.name == microphone.name() && device.abilities.is_ok()));

    drop(server);
    let lost = wait_for(&microphone, |event| matches!(event, MicrophoneEvent::Lost { .. }));
    assert!(matches!(lost, MicrophoneEvent::Lost { sentence } if sentence.contains("plug it in again")));

    let server = PulseAudio::start(room.path());
    wait_for(&microphone, |event| *event == MicrophoneEvent::Back);
    hear_the_tone(&microphone);

    let stopping = Instant::now();
    drop(microphone);
    assert!(stopping.elapsed() < Duration::from_secs(2), "a clean stop is quick");

    drop(server);
    let refused = Microphone::open(Some(MICROPHONE)).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("plug one in"), "{refused}");
}
