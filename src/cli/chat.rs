use std::io::{BufRead, IsTerminal, Write};

use super::{Failure, Place, ask, open, show};
use crate::domain::Channel;
use crate::turn::{TurnError, TurnInput};
use crate::wire::TurnJson;

/// Hold a typed conversation; an empty line or end of input ends it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd chat
  printf 'how much are the lemons\\nand where are they\\n' | kioskd chat --json")]
pub(super) struct Arguments {
    /// Go on with this conversation, or begin one of this name
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Show every stage of each turn
    #[arg(long)]
    verbose: bool,
    /// Print one JSON object a turn
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    let session = arguments.session.as_deref().map(ask::session_id).transpose()?;
    let config = open::config(place)?;
    let desk = open::desk(&config)?;
    let currency_word = desk.shop().currency_word.clone();
    open::block_on(async {
        let id = match session {
            Some(id) => desk.open_session_as(&id, Channel::Typed).await.map(|()| id)?,
            None => desk.open_session(Channel::Typed).await?,
        };
        let is_person = std::io::stdin().is_terminal();
        loop {
            if is_person {
                eprint!("you> ");
                let _ = std::io::stderr().flush();
            }
            let mut text = String::new();
            match std::io::stdin().lock().read_line(&mut text) {
                Ok(0) => return Ok(()),
                Ok(_) if text.trim().is_empty() && is_person => return Ok(()),
                Ok(_) if text.trim().is_empty() => continue,
                Ok(_) => {}
                Err(e) => return Err(Failure::Input(format!("the input is not text: {e}"))),
            }
            let input = TurnInput { text: Some(text.trim().to_owned()), ..TurnInput::default() };
            match desk.take(&id, Channel::Typed, input).await {
                Ok(record) if arguments.json => open::print_json(&TurnJson::new(&record, desk.catalog(), &currency_word))?,
                Ok(record) if arguments.verbose => open::print_line(&show::turn(&record, &currency_word))?,
                Ok(record) => {
                    open::print_line(&record.answer.text)?;
                    if let Some(details) = &record.answer.details {
                        open::print_line(&format!("  | {details}"))?;
                    }
                    if let Some(handoff) = &record.handoff {
                        open::print_line(&format!("  > to staff ({}): {}", handoff.reason.name(), handoff.summary))?;
                    }
                    for offer in &record.recommendations {
                        open::print_line(&format!("  + {}", show::offer(offer, &currency_word)))?;
                    }
                }
                Err(error @ (TurnError::Store(_) | TurnError::UnknownSession(_))) => return Err(error.into()),
                Err(error) => eprintln!("kioskd: {error}"),
            }
        }
    })
}
