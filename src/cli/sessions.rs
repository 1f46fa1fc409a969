use serde_json::json;

use super::{Failure, Place, ask, open};
use crate::store::Reader;

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
    /// Print a whole conversation as one JSON document
    Export {
        /// Which
        id: String,
    },
}

pub(super) fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let reader = Reader::new(&open::config(place)?.paths.data);
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
                }
            }
            Ok(())
        }
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
    let none = || Failure::Input(format!("there is no session {id}; `kioskd sessions list` shows those there are"));
    reader.turns(&session)?.ok_or_else(none)
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
