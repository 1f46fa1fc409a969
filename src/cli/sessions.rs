use serde_json::json;

use super::{Failure, Place, ask, open};
use crate::config::{Config, ShopFiles, grammars, open_dialogue};
use crate::store::Reader;
use crate::turn::{Fusion, replay};

/// Look into the session log; a running service is not disturbed.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the newest conversations
    List {
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Print one JSON object a conversation
        #[arg(long)]
        json: bool,
    },
    /// Show the turns of a conversation
    Show {
        /// Which
        id: String,
        /// Print one JSON object a turn, as it stands in the log
        #[arg(long)]
        json: bool,
    },
    /// Answer the turns of a conversation again, from the log, and tell where the answers are others now; ends with 1 where they are
    Replay {
        /// Which
        id: String,
        /// Print one JSON object a turn
        #[arg(long)]
        json: bool,
    },
    /// List the questions that could not be answered, the newest first
    Unanswered {
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Print one JSON object a question
        #[arg(long)]
        json: bool,
    },
    /// Print a whole conversation as one JSON document
    Export {
        /// Which
        id: String,
    },
}

pub(super) fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let config = open::config(place)?;
    let reader = Reader::new(&config.paths.data);
    match command {
        Command::List { limit, json } => list(&reader, limit, json),
        Command::Show { id, json } => {
            for turn in turns(&reader, &id)? {
                if json {
                    open::print_json(&turn)?;
                } else {
                    let said = turn["transcript"].as_str().or(turn["typed"].as_str()).unwrap_or("(a photo)");
                    let intent = turn["intent"].as_str().unwrap_or("-");
                    let answer = turn["answer"].as_str().unwrap_or_default();
                    open::print_line(&format!("{:>3}  {said}  [{intent}]\n     {answer}", turn["turn"]))?;
                    if let (Some(reason), Some(summary)) = (turn["handoff"]["reason"].as_str(), turn["handoff"]["summary"].as_str()) {
                        open::print_line(&format!("     to staff ({reason}): {summary}"))?;
                    }
                }
            }
            Ok(())
        }
        Command::Replay { id, json } => again(&config, &reader, &id, json),
        Command::Unanswered { limit, json } => unanswered(&reader, limit, json),
        Command::Export { id } => {
            let turns = turns(&reader, &id)?;
            let document =
                serde_json::to_string_pretty(&json!({ "session": id, "turns": turns })).map_err(|e| Failure::Job(e.to_string()))?;
            open::print_line(&document)
        }
    }
}

fn turns(reader: &Reader, id: &str) -> Result<Vec<serde_json::Value>, Failure> {
    let session = ask::session_id(id)?;
    reader.turns(&session)?.ok_or_else(|| no_session(id))
}

fn again(config: &Config, reader: &Reader, id: &str, is_json: bool) -> Result<(), Failure> {
    let session = ask::session_id(id)?;
    let turns = reader.logged(&session)?.ok_or_else(|| no_session(id))?;
    let files = ShopFiles::read(&config.paths.shop).map_err(|problems| Failure::Input(problems.join("\n")))?;
    let dialogue = open_dialogue(config, &files)?;
    let replayed =
        replay(&dialogue, &grammars(&files)?, &Fusion::new(&files.catalog), &turns).map_err(|e| Failure::Input(e.to_string()))?;
    for turn in &replayed {
        let said = turn.text.as_deref().unwrap_or("(a photo)");
        if is_json {
            open::print_json(&json!({
                "turn": turn.turn, "text": turn.text, "same": turn.is.as_ref().map(|_| !turn.differs()), "kind": turn.was.0,
                "answer": turn.was.1, "kind_now": turn.is.as_ref().map(|is| &is.0), "answer_now": turn.is.as_ref().map(|is| &is.1),
            }))?;
        } else {
            let outcome = match &turn.is {
                Some(_) if !turn.differs() => "the same".to_owned(),
                Some((kind, answer)) => format!("differs\n     was ({}): {}\n     is  ({kind}): {answer}", turn.was.0, turn.was.1),
                None => "written by an older kioskd, not answered again".to_owned(),
            };
            open::print_line(&format!("{:>3}  {said}  {outcome}", turn.turn))?;
        }
    }
    match replayed.iter().filter(|turn| turn.differs()).count() {
        0 => Ok(()),
        differing => Err(Failure::Job(format!("{differing} of {} answers are others now", replayed.len()))),
    }
}

fn unanswered(reader: &Reader, limit: u32, is_json: bool) -> Result<(), Failure> {
    for turn in reader.unanswered(limit)? {
        let at = jiff::Timestamp::from_millisecond(turn.at_unix_ms as i64).map(|t| t.to_string()).unwrap_or_default();
        if is_json {
            open::print_json(&json!({
                "session": turn.session, "turn": turn.turn, "at": at, "text": turn.words, "intent": turn.intent, "answer": turn.answer,
            }))?;
        } else {
            let words = turn.words.as_deref().unwrap_or("(a photo)");
            open::print_line(&format!("{at}  {} {:>3}  [{}]  {words}", turn.session, turn.turn, turn.intent.as_deref().unwrap_or("-")))?;
        }
    }
    Ok(())
}

fn no_session(id: &str) -> Failure {
    Failure::Input(format!("there is no session {id}; `kioskd sessions list` shows those there are"))
}

fn list(reader: &Reader, limit: u32, is_json: bool) -> Result<(), Failure> {
    for session in reader.sessions(limit)? {
        let begun = jiff::Timestamp::from_millisecond(session.started_unix_ms as i64).map(|t| t.to_string()).unwrap_or_default();
        if is_json {
            open::print_json(&json!({
                "session": session.id, "started": begun, "channel": session.channel, "turns": session.turns,
                "first_words": session.first_words,
            }))?;
        } else {
            let words = session.first_words.unwrap_or_default();
            open::print_line(&format!("{}  {begun}  {:<6} {:>3} turns  {words}", session.id, session.channel, session.turns))?;
        }
    }
    Ok(())
}
