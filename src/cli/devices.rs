use serde_json::json;

use super::{Failure, open};
use crate::audio;

/// List the microphones.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print one JSON object a microphone
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let devices = audio::devices().map_err(|e| Failure::Job(e.to_string()))?;
    if devices.is_empty() && !arguments.json {
        return open::print_line("no microphone was found; plug one in, and check that this user may use it (group \"audio\")");
    }
    for device in devices {
        if arguments.json {
            let (abilities, error) = match &device.abilities {
                Ok(can) => (Some(can), None),
                Err(reason) => (None, Some(reason)),
            };
            open::print_json(&json!({
                "id": device.id, "name": device.name, "default": device.is_default, "error": error,
                "rates_hz": abilities.map(|can| [*can.rates_hz.start(), *can.rates_hz.end()]),
                "channels": abilities.map(|can| [*can.channels.start(), *can.channels.end()]),
            }))?;
        } else {
            let default = if device.is_default { " (default)" } else { "" };
            let abilities = match &device.abilities {
                Ok(can) => format!(
                    "{} to {} Hz, {} to {} channels",
                    can.rates_hz.start(),
                    can.rates_hz.end(),
                    can.channels.start(),
                    can.channels.end()
                ),
                Err(reason) => format!("cannot be used now: {reason}"),
            };
            open::print_line(&format!("{}{default}\n    {}; {abilities}", device.id, device.name))?;
        }
    }
    Ok(())
}
