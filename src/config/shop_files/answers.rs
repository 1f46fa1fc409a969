use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::file;
use crate::dialogue::{Saying, Sayings};

/// What is said as it ships; a shop's own files of these names go before it, word by word.
const SHIPPED: [(&str, &str); 3] = [
    ("desk", include_str!("../../../config/answers/desk.toml")),
    ("handoff", include_str!("../../../config/answers/handoff.toml")),
    ("order", include_str!("../../../config/answers/order.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SayingEntry {
    say: Vec<String>,
    show: Option<String>,
}

impl SayingEntry {
    pub(super) fn build(self) -> Saying {
        Saying { say: self.say, show: self.show }
    }
}

/// Reads `answers/*.toml`, where the folder is there.
pub(super) fn read(folder: &Path, problems: &mut Vec<String>) -> Sayings {
    let mut sayings = Sayings::new();
    for (name, text) in SHIPPED {
        match toml::from_str::<BTreeMap<String, SayingEntry>>(text) {
            Ok(entries) => sayings.extend(entries.into_iter().map(|(key, entry)| (format!("{name}.{key}"), entry.build()))),
            Err(error) => problems.push(format!("the words of {name} that ship cannot be read: {error}")),
        }
    }
    let listing = std::fs::read_dir(folder).map(|entries| entries.filter_map(Result::ok).map(|e| e.path()).collect::<Vec<PathBuf>>());
    let mut paths = listing.unwrap_or_default();
    paths.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    paths.sort();
    for path in paths {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(entries) = file::<BTreeMap<String, SayingEntry>>(&path, problems) else { continue };
        for (key, entry) in entries {
            if entry.say.is_empty() {
                problems.push(format!("{}: {key} says nothing; at least one way to say it is needed", path.display()));
            }
            sayings.insert(format!("{name}.{key}"), entry.build());
        }
    }
    sayings
}
