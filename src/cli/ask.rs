use std::path::PathBuf;

use super::{Failure, Place, open, show};
use crate::domain::{Channel, SessionId};
use crate::turn::{Spoken, TurnInput};
use crate::wire::TurnJson;

/// Ask one question.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd ask --text \"do you have oat milk?\"
  kioskd ask --audio audio_fixtures/how-much.heart.flac --photo tests/photos/grocery/Granny-Smith_001.jpg
  kioskd ask --text \"and where is it?\" --session demo-1 --json")]
pub(super) struct Arguments {
    /// What was said: WAV, FLAC, MP3, Ogg Vorbis or Opus, any rate and number of channels
    #[arg(long, value_name = "FILE")]
    audio: Option<PathBuf>,
    /// What was held up: JPEG, PNG or WebP
    #[arg(long, value_name = "FILE")]
    photo: Option<PathBuf>,
    /// What was typed; goes before what was said
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Go on with this conversation, or begin one of this name
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, arguments: Arguments) -> Result<(), Failure> {
    if arguments.audio.is_none() && arguments.photo.is_none() && arguments.text.is_none() {
        return Err(Failure::Input("nothing was asked; give --audio, --photo, --text or several of them".to_owned()));
    }
    let session = arguments.session.as_deref().map(session_id).transpose()?;
    // What was named is read before the models are loaded: a wrong path is told at once.
    let spoken = arguments.audio.as_deref().map(open::read).transpose()?.map(Spoken::File);
    let photo = arguments.photo.as_deref().map(open::read).transpose()?;
    let channel = if spoken.is_some() { Channel::Kiosk } else { Channel::Typed };
    let input = TurnInput { spoken, photo, text: arguments.text };
    let config = open::config(place)?;
    let desk = open::desk(&config)?;
    let currency_word = desk.shop().currency_word.clone();
    let record = open::block_on(async {
        let id = match session {
            Some(id) => desk.open_session_as(&id, channel).await.map(|()| id)?,
            None => desk.open_session(channel).await?,
        };
        Ok(desk.take(&id, channel, input).await?)
    })?;
    if arguments.json {
        open::print_json(&TurnJson::new(&record, desk.catalog(), &currency_word))
    } else {
        open::print_line(&show::turn(&record, &currency_word))
    }
}

/// An identifier that was typed.
pub(super) fn session_id(text: &str) -> Result<SessionId, Failure> {
    let refused = || Failure::Input(format!("{text:?} cannot be a session; expected 1 to 64 letters, digits, hyphens and underscores"));
    SessionId::parse(text).ok_or_else(refused)
}
