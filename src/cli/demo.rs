use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::{Failure, Place, open, show};
use crate::domain::Channel;
use crate::turn::{Spoken, TurnInput};

/// Serve recorded customers and show every step.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The recordings and photos (default: demo.toml beside the shop's files)
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
}

/// A list of customers; paths are relative to the folder above the script's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    customer: Vec<Customer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Customer {
    who: String,
    turn: Vec<Turn>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    audio: Option<PathBuf>,
    photo: Option<PathBuf>,
    text: Option<String>,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    let mut config = open::config(place)?;
    let path = arguments.script.clone().unwrap_or_else(|| config.paths.shop.join("demo.toml"));
    let text = String::from_utf8(open::read(&path)?).map_err(|_| Failure::Input(format!("{} is not text", path.display())))?;
    let script: Script = toml::from_str(&text).map_err(|e| Failure::Input(format!("{}: {e}", path.display())))?;
    let folder = path.parent().unwrap_or(Path::new("")).join("..");
    if place.data_dir.is_none() {
        // The demo's customers do not belong among the shop's.
        config.paths.data = config.paths.data.join("demo");
    }
    let desk = open::desk(&config)?;
    let currency_word = desk.shop().currency_word.clone();
    open::block_on(async {
        for customer in &script.customer {
            open::print_line(&format!("\n=== {} ===", customer.who))?;
            let id = desk.open_session(Channel::Kiosk).await?;
            for turn in &customer.turn {
                let read = |path: &Option<PathBuf>| path.as_ref().map(|path| open::read(&folder.join(path))).transpose();
                let (audio, photo) = (read(&turn.audio)?, read(&turn.photo)?);
                let name = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
                let given = [name(&turn.audio), name(&turn.photo), turn.text.clone()].into_iter().flatten().collect::<Vec<_>>().join(" + ");
                open::print_line(&format!("\n{:>12}  {given}", "given"))?;
                let input = TurnInput { spoken: audio.map(Spoken::File), photo, text: turn.text.clone() };
                let record = desk.take(&id, Channel::Kiosk, input).await?;
                open::print_line(&show::turn(&record, &currency_word))?;
                let row = desk.reader().turns(&id)?.and_then(|mut rows| rows.pop()).unwrap_or(Value::Null);
                open::print_line(&format!("{:>12}  {row}", "row"))?;
            }
        }
        open::print_line(&format!(
            "\nThe rows stand in {}.\nStart the service with `make run` and open http://{}/ in a browser: hold the button and ask.\n\
             Without a browser: target/release/kioskd ask --text \"how much are the lemons?\", or kioskd listen, or kioskd chat.",
            config.paths.data.join(crate::store::FILE).display(),
            config.server.listen
        ))
    })
}
