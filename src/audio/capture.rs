use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{BufferSize, FromSample, SampleFormat, SizedSample, StreamConfig, SupportedBufferSize, SupportedStreamConfig};

use super::codec::{CHANNELS, RATES_HZ};
use super::devices;

/// How much sound the ring holds, in seconds: as long as the reading side may be busy elsewhere. PulseAudio hands over up to 2 s at once.
const RING_SECONDS: u32 = 4;

/// Length of the pieces asked of the device, as a share of a second: 20 ms. Devices round it as they like; without asking, the pulse
/// plugin takes 128 ms, and 1.5 s to start.
const PIECES_PER_SECOND: u32 = 50;

/// How long closing a stream may take before it is left to itself.
const CLOSING_MAX: Duration = Duration::from_secs(1);

/// A microphone that is open and running, until it is dropped or an error comes.
///
/// The device's callback runs on a thread that must never wait: it converts samples to f32, copies what fits into the ring and counts what
/// does not. All else happens on the side that calls [`Capture::read`].
pub(super) struct Capture {
    /// Stops when dropped. None only while that happens.
    stream: Option<cpal::Stream>,
    ring: rtrb::Consumer<f32>,
    /// Samples of all channels that found no room, since the last look.
    dropped: Arc<AtomicU64>,
    errors: Receiver<cpal::Error>,
    pub(super) rate: u32,
    pub(super) channels: usize,
    pub(super) name: String,
}

impl Capture {
    /// Opens a device by its id or name, or the default one, in the format it likes best.
    ///
    /// # Errors
    /// A sentence with the reason.
    pub(super) fn open(wanted: Option<&str>) -> Result<Self, String> {
        // A new host each time, as only that makes ALSA look for cards that have come or gone.
        let host = cpal::default_host();
        let device = devices::find(&host, wanted)?;
        let offered = device.default_input_config().map_err(|error| error.to_string())?;
        let (rate, channels) = (offered.sample_rate(), usize::from(offered.channels()));
        if !RATES_HZ.contains(&rate) || !CHANNELS.contains(&channels) {
            return Err(format!("it records {channels} channels at {rate} Hz, which is not supported"));
        }
        let (writer, ring) = rtrb::RingBuffer::new(RING_SECONDS as usize * rate as usize * channels);
        let (error_sender, errors) = sync_channel(1);
        let dropped = Arc::new(AtomicU64::new(0));
        let input = Input { writer, dropped: dropped.clone(), channels };
        let stream = build_stream(&device, &offered, input, error_sender).map_err(|error| error.to_string())?;
        stream.play().map_err(|error| error.to_string())?;
        Ok(Self { stream: Some(stream), ring, dropped, errors, rate, channels, name: device.to_string() })
    }

    /// Replaces `interleaved` with what has arrived since the last call, without waiting; empty where nothing has.
    pub(super) fn read(&mut self, interleaved: &mut Vec<f32>) {
        interleaved.clear();
        let whole_frames = self.ring.slots() / self.channels * self.channels;
        if let Ok(chunk) = self.ring.read_chunk(whole_frames) {
            interleaved.extend(chunk);
        }
    }

    /// Frames that were lost since the last call because nobody read in time.
    pub(super) fn take_dropped_frames(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed) / self.channels as u64
    }

    /// The error that ended the stream, if one did. An overrun is none: the device goes on by itself.
    pub(super) fn take_error(&self) -> Option<String> {
        use cpal::ErrorKind::{DeviceChanged, RealtimeDenied, Xrun};
        let error = self.errors.try_recv().ok()?;
        if matches!(error.kind(), Xrun | DeviceChanged | RealtimeDenied) {
            tracing::debug!(%error, "microphone hiccuped");
            return None;
        }
        Some(error.to_string())
    }
}

impl Drop for Capture {
    /// Closes the stream, on a thread of its own: closing waits for the driver, and libpulse 16 waits for ever for a server that was
    /// killed. Usually it takes no time, and then the device is free again when this returns.
    fn drop(&mut self) {
        let stream = self.stream.take();
        let (closed_sender, closed) = sync_channel::<Infallible>(1);
        let closing = std::thread::Builder::new().name("microphone-close".to_owned()).spawn(move || {
            drop(stream);
            drop(closed_sender);
        });
        if closing.is_ok() && closed.recv_timeout(CLOSING_MAX) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("microphone's driver hung; its thread was left behind");
        }
    }
}

/// The writing end, which belongs to the callback.
struct Input {
    writer: rtrb::Producer<f32>,
    dropped: Arc<AtomicU64>,
    channels: usize,
}

impl Input {
    /// Runs in the callback: no lock, no allocation, no log line.
    fn take<T: Copy>(&mut self, samples: &[T])
    where
        f32: FromSample<T>,
    {
        let room = self.writer.slots() / self.channels * self.channels;
        let (kept, lost) = samples.split_at(samples.len().min(room));
        if let Ok(chunk) = self.writer.write_chunk_uninit(kept.len()) {
            chunk.fill_from_iter(kept.iter().map(|sample| <f32 as FromSample<T>>::from_sample_(*sample)));
        }
        self.dropped.fetch_add(lost.len() as u64, Ordering::Relaxed);
    }
}

fn build_stream(
    device: &cpal::Device,
    offered: &SupportedStreamConfig,
    input: Input,
    errors: SyncSender<cpal::Error>,
) -> Result<cpal::Stream, cpal::Error> {
    let config = StreamConfig { buffer_size: buffer_size(offered), ..offered.config() };
    match offered.sample_format() {
        SampleFormat::I8 => build_stream_of::<i8>(device, config, input, errors),
        SampleFormat::I16 => build_stream_of::<i16>(device, config, input, errors),
        SampleFormat::I24 => build_stream_of::<cpal::I24>(device, config, input, errors),
        SampleFormat::I32 => build_stream_of::<i32>(device, config, input, errors),
        SampleFormat::I64 => build_stream_of::<i64>(device, config, input, errors),
        SampleFormat::U8 => build_stream_of::<u8>(device, config, input, errors),
        SampleFormat::U16 => build_stream_of::<u16>(device, config, input, errors),
        SampleFormat::U24 => build_stream_of::<cpal::U24>(device, config, input, errors),
        SampleFormat::U32 => build_stream_of::<u32>(device, config, input, errors),
        SampleFormat::U64 => build_stream_of::<u64>(device, config, input, errors),
        SampleFormat::F32 => build_stream_of::<f32>(device, config, input, errors),
        SampleFormat::F64 => build_stream_of::<f64>(device, config, input, errors),
        other => {
            Err(cpal::Error::with_message(cpal::ErrorKind::UnsupportedConfig, format!("it records in {other}, which is not supported")))
        }
    }
}

fn build_stream_of<T: SizedSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut input: Input,
    errors: SyncSender<cpal::Error>,
) -> Result<cpal::Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    device.build_input_stream::<T, _, _>(
        config,
        move |samples, _| input.take(samples),
        // One error is enough to end the stream; where one waits already, the next may go.
        move |error| drop(errors.try_send(error)),
        None,
    )
}

fn buffer_size(offered: &SupportedStreamConfig) -> BufferSize {
    let wanted = offered.sample_rate() / PIECES_PER_SECOND;
    match offered.buffer_size() {
        SupportedBufferSize::Range { min, max } if min <= max => BufferSize::Fixed(wanted.clamp(*min, *max)),
        _ => BufferSize::Fixed(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(frames: usize, channels: usize) -> (Input, rtrb::Consumer<f32>) {
        let (writer, ring) = rtrb::RingBuffer::new(frames * channels);
        (Input { writer, dropped: Arc::default(), channels }, ring)
    }

    #[test]
    fn what_finds_no_room_is_counted_and_channels_never_change_places() {
        let (mut input, mut ring) = input(5, 2);
        input.take(&[0.1_f32, -0.1, 0.1, -0.1, 0.1, -0.1]);
        ring.pop().unwrap();
        // 5 samples of room are 2 whole frames.
        input.take(&[0.1_f32, -0.1, 0.1, -0.1, 0.1, -0.1]);
        assert_eq!(input.dropped.load(Ordering::Relaxed), 2);
        let rest: Vec<f32> = ring.read_chunk(ring.slots()).unwrap().into_iter().collect();
        assert_eq!(rest, [-0.1, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1]);
    }

    #[test]
    fn every_sample_format_is_brought_to_full_scale_one() {
        let (mut input, mut ring) = input(4, 1);
        input.take(&[i16::MIN]);
        input.take(&[u8::MIN]);
        input.take(&[i32::MIN]);
        input.take(&[-1.0_f64]);
        assert_eq!(ring.read_chunk(4).unwrap().into_iter().collect::<Vec<_>>(), [-1.0; 4]);
    }
}
