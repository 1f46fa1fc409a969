use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Failure, Place, open, serve, show};
use crate::audio::{EndpointConfig, EndpointEvent, Endpointer, FRAME_SAMPLES, Level, Microphone, MicrophoneEvent, Vad};
use crate::config::{Config, open_runtime};
use crate::domain::{Channel, Heard, Pcm16k, SAMPLE_RATE, SessionId};
use crate::turn::{Desk, HeardSound, Spoken, TurnInput};
use crate::wire::TurnJson;

/// How often the loop looks whether it should stop, where the microphone is silent.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// New sound after which the words so far are shown again.
const PARTIAL_EVERY_MS: u64 = 800;
/// Sound kept: the longest utterance and what may come before it.
const KEPT_SAMPLES: usize = 40 * SAMPLE_RATE as usize;
const SAMPLES_PER_MS: u64 = SAMPLE_RATE as u64 / 1_000;

/// Listen to the microphone and answer, until Ctrl-C. A microphone that is unplugged is waited for.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd listen
  kioskd listen --device alsa:hw:CARD=1 --photo tests/photos/grocery/Granny-Smith_001.jpg --json")]
pub(super) struct Arguments {
    /// The microphone, by its id or name in `kioskd devices`
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// What is held up with every question
    #[arg(long, value_name = "FILE")]
    photo: Option<PathBuf>,
    /// Print one JSON object a turn
    #[arg(long)]
    json: bool,
    /// End after so many answers
    #[arg(long, value_name = "N")]
    turns: Option<u32>,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    let photo = arguments.photo.as_deref().map(open::read).transpose()?;
    let config = open::config(place)?;
    let device = arguments.device.as_deref().or(config.audio.device.as_deref());
    let microphone = Microphone::open(device).map_err(|e| Failure::Job(e.to_string()))?;
    let desk = open::desk(&config)?;
    let mut ear = Ear::new(&config)?;
    open::block_on(async {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        tokio::spawn(async move {
            serve::stop_signal().await;
            flag.store(true, Ordering::Relaxed);
        });
        let session = desk.open_session(Channel::Kiosk).await?;
        eprintln!("kioskd: listening to {}; Ctrl-C ends", microphone.name());
        let mut answered = 0;
        // Decoded at the first silence, so that the words are there when the endpoint is.
        let mut ready: Option<(Stretch, HeardSound)> = None;
        while !stop.load(Ordering::Relaxed) && arguments.turns.is_none_or(|limit| answered < limit) {
            let event = tokio::task::block_in_place(|| microphone.next(LOOK_EVERY)).map_err(|e| Failure::Job(e.to_string()))?;
            match event {
                None => {}
                Some(MicrophoneEvent::Frame(frame)) => match ear.hear(&frame)? {
                    Step::Nothing => {}
                    Step::Partial(pcm) => show_partial(&desk, &session, pcm).await,
                    Step::Likely(stretch, pcm) => ready = desk.recognise(&session, pcm).await.ok().map(|heard| (stretch, heard)),
                    Step::Utterance(stretch, pcm) => {
                        let heard = match ready.take() {
                            Some((decoded, heard)) if decoded == stretch => heard,
                            _ => desk.recognise(&session, pcm).await?,
                        };
                        answered += u32::from(answer(&desk, &session, heard, photo.clone(), arguments.json).await?);
                    }
                },
                Some(MicrophoneEvent::Dropped { samples }) => {
                    tracing::warn!(samples, "sound was dropped");
                    ear.restart()?;
                }
                Some(MicrophoneEvent::Lost { sentence }) => {
                    eprintln!("kioskd: {sentence}");
                    ear.restart()?;
                }
                Some(MicrophoneEvent::Back) => eprintln!("kioskd: the microphone is back"),
            }
        }
        Ok(())
    })
}

/// Words so far, on stderr: they may still change.
async fn show_partial(desk: &Desk, session: &SessionId, pcm: Pcm16k) {
    if let Ok(draft) = desk.draft(session, pcm, Vec::new()).await
        && !draft.text.is_empty()
    {
        eprintln!("  ... {}", draft.text);
    }
}

/// Whether it was a turn: a cough is none.
async fn answer(desk: &Desk, session: &SessionId, heard: HeardSound, photo: Option<Vec<u8>>, is_json: bool) -> Result<bool, Failure> {
    if heard.heard == Heard::Silence {
        return Ok(false);
    }
    let input = TurnInput { spoken: Some(Spoken::Heard(heard)), photo, text: None };
    match desk.take(session, Channel::Kiosk, input).await {
        Ok(record) => {
            let currency_word = &desk.parts().phrasebook.shop().currency_word;
            let turn = TurnJson::new(&record, desk.catalog(), currency_word);
            if is_json {
                open::print_json(&turn)?
            } else {
                open::print_line(&show::turn(&record, currency_word))?
            }
            Ok(true)
        }
        // One question that fails does not end the conversation.
        Err(error) => {
            eprintln!("kioskd: {error}");
            Ok(false)
        }
    }
}

/// A stretch of the stream, in milliseconds from its beginning.
type Stretch = (u64, u64);

/// What a frame led to.
enum Step {
    Nothing,
    /// The person still speaks; this is the sound so far.
    Partial(Pcm16k),
    /// The first silence: if nothing more is said, this is the utterance.
    Likely(Stretch, Pcm16k),
    /// The utterance is over.
    Utterance(Stretch, Pcm16k),
}

/// Finds utterances in the stream of a microphone.
struct Ear {
    vad: Vad,
    config: EndpointConfig,
    endpointer: Endpointer,
    /// The newest sound; its first sample is this many samples after the beginning of the stream.
    kept: Vec<f32>,
    kept_from: u64,
    speaking_from_ms: Option<u64>,
    shown_ms: u64,
}

impl Ear {
    fn new(config: &Config) -> Result<Self, Failure> {
        let manifest = open::manifest(config)?;
        let runtime = open_runtime(&manifest)?;
        let model = manifest.verify("silero-vad").map_err(|e| Failure::Job(e.to_string()))?;
        let vad = Vad::load(&runtime, &model).map_err(|e| Failure::Job(e.to_string()))?;
        let endpoint = config.audio.endpoint.clone();
        Ok(Self {
            vad,
            endpointer: endpointer(&endpoint)?,
            config: endpoint,
            kept: Vec::new(),
            kept_from: 0,
            speaking_from_ms: None,
            shown_ms: 0,
        })
    }

    /// Begins anew after a gap: what was half said before it is no sentence.
    fn restart(&mut self) -> Result<(), Failure> {
        self.vad.reset();
        self.endpointer = endpointer(&self.config)?;
        (self.kept, self.kept_from, self.speaking_from_ms) = (Vec::new(), 0, None);
        Ok(())
    }

    fn hear(&mut self, frame: &[f32; FRAME_SAMPLES]) -> Result<Step, Failure> {
        self.kept.extend_from_slice(frame);
        let surplus = self.kept.len().saturating_sub(KEPT_SAMPLES);
        self.kept.drain(..surplus);
        self.kept_from += surplus as u64;
        let probability = self.vad.score(frame).map_err(|e| Failure::Job(e.to_string()))?;
        let mut step = Step::Nothing;
        for event in self.endpointer.push(probability, Level::of(frame).rms_dbfs) {
            match event {
                EndpointEvent::SpeechStarted { from_ms, at_ms } => (self.speaking_from_ms, self.shown_ms) = (Some(from_ms), at_ms),
                EndpointEvent::Ended { from_ms, to_ms, .. } => {
                    self.speaking_from_ms = None;
                    step = Step::Utterance((from_ms, to_ms), self.sound(from_ms, to_ms)?);
                }
                EndpointEvent::MaybeEnded { from_ms, to_ms } => step = Step::Likely((from_ms, to_ms), self.sound(from_ms, to_ms)?),
                EndpointEvent::Resumed { .. } => {}
            }
        }
        let now_ms = self.endpointer.now_ms();
        if let (Step::Nothing, Some(from_ms)) = (&step, self.speaking_from_ms)
            && now_ms >= self.shown_ms + PARTIAL_EVERY_MS
        {
            self.shown_ms = now_ms;
            step = Step::Partial(self.sound(from_ms, now_ms)?);
        }
        Ok(step)
    }

    fn sound(&self, from_ms: u64, to_ms: u64) -> Result<Pcm16k, Failure> {
        let at = |ms: u64| usize::try_from((ms * SAMPLES_PER_MS).saturating_sub(self.kept_from)).unwrap_or(usize::MAX).min(self.kept.len());
        let (from, to) = (at(from_ms), at(to_ms));
        Pcm16k::new(self.kept[from.min(to)..to].to_vec()).map_err(|e| Failure::Job(e.to_string()))
    }
}

fn endpointer(config: &EndpointConfig) -> Result<Endpointer, Failure> {
    Endpointer::new(config.clone()).map_err(|problems| Failure::Input(problems.join("\n")))
}
