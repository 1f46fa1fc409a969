use std::io::BufRead;

use serde_json::{Value, json};

use super::{Failure, Place, open, progress};
use crate::config::{ShopFiles, open_language};
use crate::wire::UnderstandingJson;

/// Say what sentences mean: a sentence a line on stdin, a line out for each line in.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  echo 'how much is the oat milk' | kioskd understand --json")]
pub(super) struct Arguments {
    /// Print one JSON object a sentence
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    let config = open::config(place)?;
    let files = ShopFiles::read(&config.paths.shop).map_err(|problems| Failure::Input(problems.join("\n")))?;
    let bar = progress::Learning::new();
    let language = open_language(&config, &open::manifest(&config)?, &files, &|done, all| bar.show(done, all))?.language;
    for line in std::io::stdin().lock().split(b'\n') {
        let line = line.map_err(|e| Failure::Input(format!("the input cannot be read: {e}")))?;
        // Bytes that are no text are replaced, so that each line in has its line out.
        let text = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
        let understanding = language.understand(&text).map_err(|e| Failure::Job(e.to_string()))?;
        let mut object = json!({ "text": text, "intent": null, "confidence": null, "in_scope": false, "entities": [], "sentiment": null });
        if let (Value::Object(object), Some(understanding)) = (&mut object, &understanding)
            && let Ok(Value::Object(meaning)) = serde_json::to_value(UnderstandingJson::of(understanding))
        {
            object.extend(meaning);
        }
        if arguments.json {
            open::print_json(&object)?;
        } else {
            let best = understanding.as_ref().map(|u| (u.best().intent.clone(), u.best().probability.get(), u.in_scope()));
            let (intent, probability, in_scope) = best.unwrap_or_else(|| ("nothing".to_owned(), 0.0, false));
            let scope = if in_scope { "" } else { ", not for this desk" };
            open::print_line(&format!("{intent} ({:.0}%{scope})  {}", 100.0 * probability, object["entities"]))?;
        }
    }
    Ok(())
}
