use std::path::PathBuf;

use super::{Failure, Place, open};
use crate::config::{Config, ShopFiles, open_dialogue};
use crate::vision::read_classes;

/// The settings and the shop's files.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Report all that is wrong with kiosk.toml and the shop's files at once
    Check {
        /// The settings (default: those that would be used)
        file: Option<PathBuf>,
    },
    /// Say which settings file would be used
    Path,
}

pub(super) fn run(place: &Place, command: Command) -> Result<(), Failure> {
    match command {
        Command::Path => {
            let path = place.config.clone().map_or_else(Config::find, Ok)?;
            open::print_line(&path.display().to_string())
        }
        Command::Check { file } => {
            let place = Place { config: file.or_else(|| place.config.clone()), ..place.clone() };
            let config = open::config(&place)?;
            let files = ShopFiles::read(&config.paths.shop).map_err(|problems| Failure::Input(problems.join("\n")))?;
            let manifest = open::manifest(&config)?;
            let named = [&config.speech.model, &config.vision.model, &config.vision.gallery];
            let unlisted: Vec<String> = named.into_iter().filter_map(|name| manifest.entry(name).err()).map(|e| e.to_string()).collect();
            if !unlisted.is_empty() {
                return Err(Failure::Input(unlisted.join("\n")));
            }
            let model = manifest.path(manifest.entry(&config.vision.model).map_err(|e| Failure::Input(e.to_string()))?);
            let classes = read_classes(&model.with_file_name("classes.csv")).map_err(|e| Failure::Input(e.to_string()))?;
            let is_misspelt = |class: &&String| !classes.iter().any(|known| known.name == **class);
            let claimed = files.catalog.products().iter().filter_map(|product| product.photo_class.as_ref());
            let misspelt: Vec<String> = claimed
                .filter(is_misspelt)
                .map(|class| format!("photo_class {class:?} is no class of {}; its classes.csv lists them", config.vision.model))
                .collect();
            if !misspelt.is_empty() {
                return Err(Failure::Input(misspelt.join("\n")));
            }
            let counts = (files.catalog.products().len(), files.intents.len(), files.shop.faq.len());
            open_dialogue(&config, &files)?;
            open::print_line(&format!("ok: {} products, {} intents, {} questions", counts.0, counts.1, counts.2))
        }
    }
}
