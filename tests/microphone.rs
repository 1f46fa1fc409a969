//! The kiosk listens to a real microphone and survives its being unplugged.
//!
//! The microphone is a fake one below all of our code: ALSA plays a file into it, at the pace of a PulseAudio server that only this test
//! uses. Killing that server is what pulling the plug looks like. Nothing here sleeps: every wait is for an event, with a bound.

#![cfg(target_os = "linux")]

use std::f32::consts::{SQRT_2, TAU};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kioskd::audio::{FRAME_SAMPLES, Microphone, MicrophoneEvent, devices};

/// The name of the fake microphone. (Not ALSA's `default`: with its pulse plugin installed, that is always PulseAudio itself.)
const MICROPHONE: &str = "kioskmic";

/// The rate at which our code opens a device that can do anything, two channels of f32. The file is in that format.
const RATE: u32 = 48_000;

/// Bound of every wait. The slowest start measured on a busy machine was 1.7 s; looking for a lost microphone takes up to 5 s a time.
const PATIENCE: Duration = Duration::from_secs(30);

/// A PulseAudio server of our own, without a sound card.
struct PulseAudio(Child);

impl PulseAudio {
    fn start(room: &Path) -> Self {
        let script = room.join("pulse.pa");
        let socket = room.join("native");
        // A server that was killed leaves its socket behind, and its successor would not start.
        drop(std::fs::remove_file(&socket));
        let modules = format!(
            "load-module module-native-protocol-unix socket={} auth-anonymous=1\n\
             load-module module-null-sink sink_name=kiosk rate={RATE} channels=2\n",
            socket.display()
        );
        std::fs::write(&script, modules).unwrap();
        let server = Command::new("pulseaudio")
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=0", "-F"])
            .arg(&script)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("pulseaudio cannot be started ({error}); install it with `make setup`"));
        Self(server)
    }
}

impl Drop for PulseAudio {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A tone of 440 Hz at half of full scale on both channels, long enough for the whole test: at its end the file begins anew.
fn write_tone(path: &Path) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    for n in 0..RATE * 10 {
        let sample = 0.5 * (TAU * 440.0 * n as f32 / RATE as f32).sin();
        (0..2).for_each(|_| file.write_all(&sample.to_le_bytes()).unwrap());
    }
    file.flush().unwrap();
}

/// Gives ALSA a microphone that is our file at the pace of our server. Must happen before anything asks ALSA.
fn plug_in(room: &Path) {
    let tone = room.join("tone.raw");
    write_tone(&tone);
    let config = format!(
        "</usr/share/alsa/alsa.conf>\n\
         pcm.paced {{ type pulse device \"kiosk.monitor\" }}\n\
         pcm.kioskmic {{ type file slave.pcm \"paced\" file \"/dev/null\" infile \"{}\" format \"raw\"\n\
             hint {{ show on description \"A file as a microphone\" }} }}\n",
        tone.display()
    );
    let path = room.join("asound.conf");
    std::fs::write(&path, config).unwrap();
    // SAFETY: this is the only test of this program, and no other thread runs yet that could read the environment.
    unsafe {
        std::env::set_var("ALSA_CONFIG_PATH", &path);
        std::env::set_var("PULSE_SERVER", format!("unix:{}", room.join("native").display()));
    }
}

/// Opens the microphone, as soon as the server answers.
fn open() -> Microphone {
    let since = Instant::now();
    loop {
        match Microphone::open(Some(MICROPHONE)) {
            Ok(microphone) => return microphone,
            Err(error) => assert!(since.elapsed() < PATIENCE, "{error}; is libasound2-plugins installed? `make setup` does it"),
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
