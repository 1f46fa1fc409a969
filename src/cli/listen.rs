use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Failure, Place, open, serve, show};
use crate::audio::{Microphone, MicrophoneEvent, SmartTurn, Vad};
use crate::config::{Config, open_runtime};
use crate::domain::{Channel, Heard, Pcm16k, SessionId};
use crate::speech::{Agreement, Partial};
use crate::turn::{Desk, Ear, Habits, HeardSound, Spoken, Step, Stretch, TurnInput};
use crate::wire::TurnJson;

/// How often the loop looks whether it should stop, where the microphone is silent.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Names of the models that are not a choice of the config.
const VOICE_ACTIVITY: &str = "silero-vad";
const END_OF_TURN: &str = "smart-turn-v3.2";
/// What is learned about the pauses of those who speak here, in the data folder.
const HABITS: &str = "learned/habits.json";

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
    let microphone = Microphone::open(device).map_err(job)?;
    let desk = open::desk(&config)?;
    let habits_file = config.paths.data.join(HABITS);
    let mut habits = habits(&habits_file);
    let mut ear = ear(&config)?.with_habits(habits);
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
        let mut agreement = Agreement::default();
        while !stop.load(Ordering::Relaxed) && arguments.turns.is_none_or(|limit| answered < limit) {
            let event = tokio::task::block_in_place(|| microphone.next(LOOK_EVERY)).map_err(job)?;
            match event {
                None => {}
                Some(MicrophoneEvent::Frame(frame)) => match ear.hear(&frame).map_err(job)? {
                    Step::Nothing => {}
                    Step::Partial(pcm) => show_partial(&desk, &session, pcm, &mut agreement).await,
                    Step::Likely(stretch, pcm) => ready = decode_early(&desk, &session, &mut ear, stretch, pcm).await,
                    Step::Utterance(stretch, pcm, _) => {
                        agreement.clear();
                        let heard = match ready.take() {
                            Some((decoded, heard)) if decoded == stretch => heard,
                            _ => desk.recognise(&session, pcm).await?,
                        };
                        answered += u32::from(answer(&desk, &session, heard, photo.clone(), arguments.json).await?);
                    }
                },
                Some(MicrophoneEvent::Dropped { samples }) => {
                    tracing::warn!(samples, "sound was dropped");
                    ear.restart().map_err(job)?;
                }
                Some(MicrophoneEvent::Lost { sentence }) => {
                    eprintln!("kioskd: {sentence}");
                    ear.restart().map_err(job)?;
                }
                Some(MicrophoneEvent::Back) => eprintln!("kioskd: the microphone is back"),
            }
            if ear.habits() != habits {
                habits = ear.habits();
                keep(&habits, &habits_file);
            }
        }
        Ok(())
    })
}

/// Looks for the words at the first silence while the voice is weighed on this thread, and has both settle how long is waited for more.
/// The microphone keeps the frames of that time.
async fn decode_early(desk: &Desk, session: &SessionId, ear: &mut Ear, stretch: Stretch, pcm: Pcm16k) -> Option<(Stretch, HeardSound)> {
    let weigh = async { tokio::task::block_in_place(|| ear.weigh_sound()) };
    let (heard, ()) = tokio::join!(desk.recognise(session, pcm), weigh);
    let heard = heard.ok()?;
    let standing = match &heard.heard {
        Heard::Words(transcript) => desk.parts().grammars.standing(&transcript.text),
        Heard::Silence => None,
    };
    ear.said_so_far(stretch, &heard.heard, standing);
    Some((stretch, heard))
}

/// Words so far, on stderr, where a recogniser is idle: those behind the bar may still change.
async fn show_partial(desk: &Desk, session: &SessionId, pcm: Pcm16k, agreement: &mut Agreement) {
    let Ok(draft) = desk.draft(session, pcm, agreement.settled().to_vec()).await else { return };
    let Partial { stable, tentative } = agreement.hear(&draft);
    if !draft.text.is_empty() {
        eprintln!("  ... {stable} | {tentative}");
    }
}

/// Whether it was a turn: a cough is none.
async fn answer(desk: &Desk, session: &SessionId, heard: HeardSound, photo: Option<Vec<u8>>, is_json: bool) -> Result<bool, Failure> {
    if heard.heard == Heard::Silence {
        return Ok(false);
    }
    let input = TurnInput { spoken: Some(Spoken::Heard(Box::new(heard))), photo, text: None };
    match desk.take(session, Channel::Kiosk, input).await {
        Ok(record) => {
            let currency_word = &desk.shop().currency_word;
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

/// What was learned before; a file that cannot be read is told, and learning begins anew.
fn habits(file: &Path) -> Habits {
    Habits::read(file).unwrap_or_else(|error| {
        tracing::warn!(file = %file.display(), %error, "the habits of those who speak here cannot be read; they are learned anew");
        Habits::default()
    })
}

/// A disk that is full ends no conversation.
fn keep(habits: &Habits, file: &Path) {
    if let Err(error) = habits.write(file) {
        tracing::warn!(file = %file.display(), %error, "the habits of those who speak here cannot be kept");
    }
}

fn ear(config: &Config) -> Result<Ear, Failure> {
    let (vad, smart_turn) = models(config)?;
    Ear::new(vad, Some(smart_turn), config.audio.endpoint.clone()).map_err(job)
}

/// Voice detector and end-of-turn model, on the runtime that the desk uses too.
pub(super) fn models(config: &Config) -> Result<(Vad, SmartTurn), Failure> {
    let manifest = open::manifest(config)?;
    let runtime = open_runtime(&manifest)?;
    let vad = Vad::load(&runtime, &manifest.verify(VOICE_ACTIVITY).map_err(job)?).map_err(job)?;
    let smart_turn = SmartTurn::load(&runtime, &manifest.verify(END_OF_TURN).map_err(job)?).map_err(job)?;
    Ok((vad, smart_turn))
}

fn job(error: impl std::fmt::Display) -> Failure {
    Failure::Job(error.to_string())
}
