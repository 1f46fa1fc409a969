use std::collections::BTreeMap;

use serde::Deserialize;

use crate::language::WordLists;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WordsFile {
    #[serde(default)]
    pub(super) allergen: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(super) diet: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    size: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    extra: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    wish: BTreeMap<String, Vec<String>>,
}

impl WordsFile {
    pub(super) fn build(self) -> WordLists {
        WordLists { allergen: self.allergen, diet: self.diet, size: self.size, extra: self.extra, wish: self.wish }
    }
}
