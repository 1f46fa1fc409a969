//! A microphone without hardware: ALSA plays a file into it, at the pace of a PulseAudio server of the test's own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The name of the fake microphone. (Not ALSA's `default`: with its pulse plugin installed, that is always PulseAudio itself.)
pub const MICROPHONE: &str = "kioskmic";

/// The rate at which our code opens a device that can do anything, two channels of f32. The file is in that format.
pub const RATE: u32 = 48_000;

/// A PulseAudio server of our own, without a sound card.
pub struct PulseAudio(Child);

impl PulseAudio {
    pub fn start(room: &Path) -> Self {
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
            .unwrap_or_else(|error| panic!("pulseaudio cannot be started ({error}); `make test-packages` installs it"));
        Self(server)
    }
}

impl Drop for PulseAudio {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Writes ALSA's configuration with a microphone that is this file at the pace of the server in `room`. Returns its path; the server is
/// found by `PULSE_SERVER=` [`server_address`].
pub fn alsa_config(room: &Path, sound: &Path) -> PathBuf {
    let config = format!(
        "</usr/share/alsa/alsa.conf>\n\
         pcm.paced {{ type pulse device \"kiosk.monitor\" }}\n\
         pcm.{MICROPHONE} {{ type file slave.pcm \"paced\" file \"/dev/null\" infile \"{}\" format \"raw\"\n\
             hint {{ show on description \"A file as a microphone\" }} }}\n",
        sound.display()
    );
    let path = room.join("asound.conf");
    std::fs::write(&path, config).unwrap();
    path
}

/// Where the server of `room` is reached.
pub fn server_address(room: &Path) -> String {
    format!("unix:{}", room.join("native").display())
}

/// Writes mono samples in the microphone's own format: both channels, f32.
pub fn write_sound(path: &Path, samples: impl Iterator<Item = f32>) {
    let bytes: Vec<u8> = samples.flat_map(|sample| [sample.to_le_bytes(), sample.to_le_bytes()].concat()).collect();
    std::fs::write(path, bytes).unwrap();
}
