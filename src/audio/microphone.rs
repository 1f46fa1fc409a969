use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use super::AudioError;
use super::capture::Capture;
use super::devices::QuietAlsa;
use super::framer::{FRAME_SAMPLES, Frame, Framer};
use super::mixdown::{ChannelPowers, Mixdown};
use super::resample::Resampler;
use crate::domain::SAMPLE_RATE;

/// How long the thread rests between two looks into the ring. It delays a frame by half of this on average.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A stream that gives no sample for this long is taken for lost: when PulseAudio dies, its ALSA plugin reports nothing. The slowest
/// start measured was 1.7 s.
const DEAF_AFTER: Duration = Duration::from_secs(4);

/// A lost microphone is tried again after this time, which doubles up to the second.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const SLOWEST_RETRY: Duration = Duration::from_secs(5);

/// A driver that does not open or close within this time is given up: nothing here waits without a bound.
const ANSWER_MAX: Duration = Duration::from_secs(8);

/// Events that may wait for the listener: 8 s of frames, 0.5 MB.
const EVENTS_WAITING_MAX: usize = 256;

/// What a microphone has to say.
#[derive(Debug, Clone, PartialEq)]
pub enum MicrophoneEvent {
    /// The next 32 ms at 16 kHz, mono, finite, in -1..=1.
    Frame(Box<Frame>),
    /// Sound is missing between the frame before and the next one, because nobody took events in time.
    Dropped {
        /// How much, in samples at 16 kHz.
        samples: u64,
    },
    /// The microphone is gone; it is looked for until it is back.
    Lost {
        /// What happened and what to do.
        sentence: String,
    },
    /// The microphone is back, and frames follow. There is a gap in the sound.
    Back,
}

/// A microphone that is listened to on a thread of its own until it is dropped. It survives being unplugged.
pub struct Microphone {
    events: Receiver<MicrophoneEvent>,
    /// Dropping it tells the thread to stop.
    stop: Option<SyncSender<Infallible>>,
    name: String,
}

impl Microphone {
    /// Opens a microphone by its id or name in [`super::devices()`], or the system's default one, and listens.
    ///
    /// # Errors
    /// [`AudioError::NoMicrophone`] where it cannot be opened now; only one that was there is waited for.
    pub fn open(device: Option<&str>) -> Result<Self, AudioError> {
        let (stop, stopped) = sync_channel(1);
        let (sender, events) = sync_channel(EVENTS_WAITING_MAX);
        let (opened_sender, opened) = sync_channel(1);
        let device = device.map(str::to_owned);
        std::thread::Builder::new()
            .name("microphone".to_owned())
            .spawn(move || {
                let _quiet = QuietAlsa::new();
                let capture = Capture::open(device.as_deref());
                let told = opened_sender.send(capture.as_ref().map(|capture| capture.name.clone()).map_err(Clone::clone));
                if let (Ok(capture), Ok(())) = (capture, told) {
                    let listener = Listener { device, stopped, outbox: Outbox::new(sender), is_lost: false, retry: FIRST_RETRY };
                    let Err(Unwanted) = listener.run(capture);
                }
            })
            .map_err(|error| AudioError::Thread { reason: error.to_string() })?;
        match opened.recv_timeout(ANSWER_MAX) {
            Ok(Ok(name)) => Ok(Self { events, stop: Some(stop), name }),
            Ok(Err(reason)) => Err(AudioError::NoMicrophone { reason }),
            Err(RecvTimeoutError::Timeout) => {
                let reason = format!("its driver did not answer for {} s", ANSWER_MAX.as_secs());
                Err(AudioError::NoMicrophone { reason })
            }
            Err(RecvTimeoutError::Disconnected) => Err(AudioError::MicrophoneStopped),
        }
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next event; None where nothing happens for as long as `wait`.
    ///
    /// # Errors
    /// [`AudioError::MicrophoneStopped`] where the thread has died, which is a bug.
    pub fn next(&self, wait: Duration) -> Result<Option<MicrophoneEvent>, AudioError> {
        match self.events.recv_timeout(wait) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(AudioError::MicrophoneStopped),
        }
    }
}

impl Drop for Microphone {
    fn drop(&mut self) {
        drop(self.stop.take());
        let since = Instant::now();
        // The thread looks for the stop every 10 ms, and its end closes the channel. Only a driver that hangs makes it late.
        while since.elapsed() < ANSWER_MAX {
            if self.events.recv_timeout(ANSWER_MAX) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
        }
        tracing::warn!("microphone's driver hung; its thread was left behind");
    }
}

/// The microphone is no longer wanted: dropped, or nobody takes its events.
struct Unwanted;

/// The thread's side of a microphone.
struct Listener {
    device: Option<String>,
    /// Closed when the thread is to stop; nothing is ever sent.
    stopped: Receiver<Infallible>,
    outbox: Outbox,
    /// It has been told that the microphone is lost, and not yet that it is back.
    is_lost: bool,
    retry: Duration,
}

impl Listener {
    /// Listens to one stream after the other.
    fn run(mut self, mut capture: Capture) -> Result<Infallible, Unwanted> {
        loop {
            let reason = self.listen(capture)?;
            if !self.is_lost {
                self.is_lost = true;
                let sentence = format!("the microphone was lost ({reason}); plug it in again, listening goes on by itself");
                self.outbox.tell(MicrophoneEvent::Lost { sentence })?;
            }
            capture = self.reopen()?;
        }
    }

    /// Listens to one stream until it is lost, and tells why.
    fn listen(&mut self, mut capture: Capture) -> Result<String, Unwanted> {
        let mut ears = match Ears::new(capture.rate, capture.channels) {
            Ok(ears) => ears,
            Err(error) => return Ok(error.to_string()),
        };
        let mut interleaved = Vec::new();
        let mut heard_at = Instant::now();
        loop {
            self.wait(LOOK_EVERY)?;
            if let Some(reason) = capture.take_error() {
                return Ok(reason);
            }
            capture.read(&mut interleaved);
            if interleaved.is_empty() {
                if heard_at.elapsed() > DEAF_AFTER {
                    return Ok(format!("it gave no sound for {} s", DEAF_AFTER.as_secs()));
                }
                continue;
            }
            heard_at = Instant::now();
            self.is_heard()?;
            match ears.hear(&mut interleaved) {
                Ok(frames) => frames.into_iter().try_for_each(|frame| self.outbox.frame(frame))?,
                Err(error) => return Ok(error.to_string()),
            }
            self.outbox.count_dropped(capture.take_dropped_frames() * u64::from(SAMPLE_RATE) / u64::from(capture.rate));
        }
    }

    /// Sound has come: that, and not that the device could be opened, takes back that it was lost.
    fn is_heard(&mut self) -> Result<(), Unwanted> {
        self.retry = FIRST_RETRY;
        if std::mem::take(&mut self.is_lost) { self.outbox.tell(MicrophoneEvent::Back) } else { Ok(()) }
    }

    fn reopen(&mut self) -> Result<Capture, Unwanted> {
        loop {
            self.wait(self.retry)?;
            self.retry = (self.retry * 2).min(SLOWEST_RETRY);
            match Capture::open(self.device.as_deref()) {
                Ok(capture) => return Ok(capture),
                Err(reason) => tracing::debug!(%reason, "microphone was not back"),
            }
        }
    }

    fn wait(&self, time: Duration) -> Result<(), Unwanted> {
        if self.stopped.recv_timeout(time) == Err(RecvTimeoutError::Timeout) { Ok(()) } else { Err(Unwanted) }
    }
}

/// Makes frames of what a device gives.
struct Ears {
    channels: usize,
    resampler: Resampler,
    framer: Framer,
    mixdown: Mixdown,
    /// Of the running quarter of a second.
    powers: ChannelPowers,
    frames_between_choices: u64,
    mono: Vec<f32>,
    samples: Vec<f32>,
}

/// How often the choice of channels is made anew, as a share of a second. The beginning of the first word is heard as the mean.
const CHOICES_PER_SECOND: u32 = 4;

/// A stretch below this level, in dBFS, leaves the choice of channels as it is: noise says nothing about a voice.
const AUDIBLE_DBFS: f64 = -50.0;

impl Ears {
    fn new(rate: u32, channels: usize) -> Result<Self, AudioError> {
        Ok(Self {
            channels,
            resampler: Resampler::new(rate)?,
            framer: Framer::default(),
            mixdown: Mixdown::Mean,
            powers: ChannelPowers::default(),
            frames_between_choices: u64::from(rate / CHOICES_PER_SECOND),
            mono: Vec::new(),
            samples: Vec::new(),
        })
    }

    /// Takes interleaved samples, repairs them in place, and gives the frames that are full.
    fn hear(&mut self, interleaved: &mut [f32]) -> Result<Vec<Frame>, AudioError> {
        // A device that gives NaN is broken, but a click is better than a filter that never recovers.
        interleaved.iter_mut().for_each(|sample| *sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 });
        self.choose_channels(interleaved);
        self.mono.clear();
        self.samples.clear();
        self.mixdown.apply(interleaved, self.channels, &mut self.mono);
        self.resampler.push(&self.mono, &mut self.samples)?;
        // The filter overshoots at sharp edges.
        self.samples.iter_mut().for_each(|sample| *sample = sample.clamp(-1.0, 1.0));
        let mut frames = Vec::new();
        let Ok(()) = self.framer.push(&self.samples, |frame| {
            frames.push(*frame);
            Ok::<_, Infallible>(())
        });
        Ok(frames)
    }

    fn choose_channels(&mut self, interleaved: &[f32]) {
        if self.channels == 1 {
            return;
        }
        self.powers.add(interleaved, self.channels);
        if self.powers.frames() < self.frames_between_choices {
            return;
        }
        if self.powers.loudest_dbfs() > AUDIBLE_DBFS {
            self.mixdown = self.powers.mixdown();
        }
        self.powers = ChannelPowers::default();
    }
}

/// The way to the listener. It never waits: frames that find no room are counted, and what must not be lost is kept until there is room.
struct Outbox {
    events: SyncSender<MicrophoneEvent>,
    /// What comes before the next frame: at most `Lost`, `Back` and `Dropped`.
    waiting: VecDeque<MicrophoneEvent>,
}

impl Outbox {
    fn new(events: SyncSender<MicrophoneEvent>) -> Self {
        Self { events, waiting: VecDeque::new() }
    }

    /// Sends `Lost` or `Back`, now or as soon as there is room.
    fn tell(&mut self, news: MicrophoneEvent) -> Result<(), Unwanted> {
        if matches!(news, MicrophoneEvent::Lost { .. }) {
            // Whoever hears of a loss need not hear of the gaps and losses before it.
            self.waiting.clear();
        }
        self.waiting.push_back(news);
        self.send_waiting()
    }

    /// Sends a frame if there is room for it and for what comes before it.
    fn frame(&mut self, frame: Frame) -> Result<(), Unwanted> {
        self.send_waiting()?;
        if !self.waiting.is_empty() {
            self.count_dropped(FRAME_SAMPLES as u64);
            return Ok(());
        }
        match self.events.try_send(MicrophoneEvent::Frame(Box::new(frame))) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                self.count_dropped(FRAME_SAMPLES as u64);
                Ok(())
            }
            Err(TrySendError::Disconnected(_)) => Err(Unwanted),
        }
    }

    fn count_dropped(&mut self, more: u64) {
        match self.waiting.back_mut() {
            Some(MicrophoneEvent::Dropped { samples }) => *samples += more,
            _ if more > 0 => self.waiting.push_back(MicrophoneEvent::Dropped { samples: more }),
            _ => {}
        }
    }

    fn send_waiting(&mut self) -> Result<(), Unwanted> {
        while let Some(event) = self.waiting.pop_front() {
            match self.events.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.waiting.push_front(event);
                    break;
                }
                Err(TrySendError::Disconnected(_)) => return Err(Unwanted),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        [0.0; FRAME_SAMPLES]
    }

    fn silence() -> MicrophoneEvent {
        MicrophoneEvent::Frame(Box::new(frame()))
    }

    fn taken(events: &Receiver<MicrophoneEvent>) -> Vec<MicrophoneEvent> {
        events.try_iter().map(|event| if matches!(event, MicrophoneEvent::Frame(_)) { silence() } else { event }).collect()
    }

    #[test]
    fn a_slow_listener_learns_how_much_is_missing_and_where() {
        let (sender, events) = sync_channel(2);
        let mut outbox = Outbox::new(sender);
        (0..5).for_each(|_| assert!(outbox.frame(frame()).is_ok()));
        assert_eq!(taken(&events).len(), 2);
        assert!(outbox.frame(frame()).is_ok());
        assert_eq!(taken(&events), [MicrophoneEvent::Dropped { samples: 3 * 512 }, silence()]);
    }

    #[test]
    fn a_loss_is_told_even_to_a_listener_that_is_busy() {
        let (sender, events) = sync_channel(1);
        let mut outbox = Outbox::new(sender);
        let lost = MicrophoneEvent::Lost { sentence: "lost".to_owned() };
        (0..3).for_each(|_| assert!(outbox.frame(frame()).is_ok()));
        assert!(outbox.tell(lost.clone()).is_ok() && outbox.tell(MicrophoneEvent::Back).is_ok());
        let mut heard = Vec::new();
        for _ in 0..4 {
            heard.extend(taken(&events));
            assert!(outbox.frame(frame()).is_ok());
        }
        assert_eq!(heard[..3], [silence(), lost, MicrophoneEvent::Back]);
        assert!(matches!(heard[3], MicrophoneEvent::Dropped { .. }), "{heard:?}");
    }

    #[test]
    fn a_listener_that_has_gone_ends_the_thread() {
        let (sender, events) = sync_channel(1);
        let mut outbox = Outbox::new(sender);
        drop(events);
        assert!(outbox.frame(frame()).is_err());
    }

    #[test]
    fn a_48_khz_stereo_device_wired_in_opposite_phase_is_heard() {
        let mut ears = Ears::new(48_000, 2).unwrap();
        let tone = |n: usize| 0.5 * (std::f32::consts::TAU * 440.0 * n as f32 / 48_000.0).sin();
        let mut interleaved: Vec<f32> = (0..48_000).flat_map(|n| [tone(n), -tone(n)]).collect();
        let frames: Vec<_> = interleaved.chunks_mut(960).flat_map(|chunk| ears.hear(chunk).unwrap()).collect();
        // The filter holds back 10 ms and what does not fill a block.
        assert_eq!(frames.len(), 30);
        let rms = |frame: &Frame| (frame.iter().map(|s| s * s).sum::<f32>() / FRAME_SAMPLES as f32).sqrt();
        assert!(rms(&frames[0]) < 0.01, "the mean cancels");
        assert!((rms(&frames[29]) - 0.5 / 2_f32.sqrt()).abs() < 0.01, "one channel does not");
    }

    #[test]
    fn a_device_that_gives_nan_does_not_deafen_the_kiosk_for_good() {
        let mut ears = Ears::new(48_000, 1).unwrap();
        ears.hear(&mut [f32::NAN; 4_800]).unwrap();
        let frames = ears.hear(&mut [0.5; 4_800]).unwrap();
        assert!(frames.iter().flat_map(|frame| frame.iter()).all(|sample| sample.is_finite()));
    }
}
