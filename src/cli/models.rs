use serde_json::json;

use super::{Failure, Place, open, progress};
use crate::weights::{Manifest, ModelEntry, WeightsError, pull_from};

/// The models of models/manifest.toml.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List them, and which are here
    List {
        /// Print one JSON object a model
        #[arg(long)]
        json: bool,
    },
    /// Compare the files that are here with their checksums
    Verify {
        /// Only these
        names: Vec<String>,
        /// Print one JSON object a model
        #[arg(long)]
        json: bool,
    },
    /// Fetch a public Whisper from Hugging Face (needs internet; goes on where it stopped)
    #[command(after_help = "Example:
  kioskd models pull small.en-q5_1")]
    Pull {
        /// Which
        name: String,
        /// Fetch from a server laid out like Hugging Face instead, such as a mirror in the shop's own network
        #[arg(long, value_name = "ADDRESS")]
        mirror: Option<String>,
    },
}

pub(super) fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let manifest = open::manifest(&open::config(place)?)?;
    match command {
        Command::List { json } => manifest.entries().iter().try_for_each(|entry| list(&manifest, entry, json)),
        Command::Verify { names, json } => verify(&manifest, &names, json),
        Command::Pull { name, mirror } => fetch(&manifest, &name, mirror.as_deref()),
    }
}

fn list(manifest: &Manifest, entry: &ModelEntry, is_json: bool) -> Result<(), Failure> {
    let here = manifest.path(entry).is_file();
    if is_json {
        return open::print_json(&json!({
            "name": entry.name, "kind": format!("{:?}", entry.kind), "file": entry.file.display().to_string(), "bytes": entry.bytes,
            "sha256": entry.sha256, "licence": entry.licence, "about": entry.about, "here": here, "provided_by": entry.remedy(),
        }));
    }
    let size = entry.bytes.map_or("?".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
    let state = if here { "here".to_owned() } else { format!("not here; `{}`", entry.remedy()) };
    open::print_line(&format!("{:<24} {size:>9}  {:<14} {state}\n{:36}{}", entry.name, entry.licence, "", entry.about))
}

fn verify(manifest: &Manifest, names: &[String], is_json: bool) -> Result<(), Failure> {
    for name in names {
        manifest.entry(name).map_err(|e| Failure::Input(e.to_string()))?;
    }
    // What nobody asked for by name is checked where it is here, or where it should be here.
    let expected = |entry: &&ModelEntry| {
        let wanted = entry.setup && entry.fits_platform() || entry.repository.is_some() || manifest.path(entry).is_file();
        if names.is_empty() { wanted } else { names.contains(&entry.name) }
    };
    let mut wrong = 0;
    for entry in manifest.entries().iter().filter(expected) {
        let outcome = manifest.verify(&entry.name);
        let complaint = outcome.as_ref().err().map(WeightsError::to_string);
        wrong += u32::from(complaint.is_some());
        if is_json {
            open::print_json(&json!({ "name": entry.name, "ok": complaint.is_none(), "error": complaint }))?;
        } else {
            open::print_line(&format!("{:<24} {}", entry.name, complaint.as_deref().unwrap_or("ok")))?;
        }
    }
    if wrong == 0 { Ok(()) } else { Err(Failure::Job(format!("{wrong} models are not what the manifest lists; see above"))) }
}

fn fetch(manifest: &Manifest, name: &str, mirror: Option<&str>) -> Result<(), Failure> {
    let bar = progress::bytes(format!("fetching {name}"));
    let mut show = |progress: crate::weights::PullProgress| {
        if let Some(total) = progress.total {
            bar.set_length(total);
        }
        bar.set_position(progress.done);
    };
    let outcome = match mirror {
        Some(server) => pull_from(manifest, name, server.trim_end_matches('/'), &mut show),
        None => crate::weights::pull(manifest, name, &mut show),
    };
    bar.finish_and_clear();
    match outcome {
        Ok(path) => open::print_line(&format!("{}: here and whole; set speech.model = \"{name}\" to use it", path.display())),
        Err(e @ (WeightsError::Unlisted { .. } | WeightsError::NotPullable { .. })) => Err(Failure::Input(e.to_string())),
        Err(e) => Err(Failure::Job(e.to_string())),
    }
}
