//! A grammar file as it stands in TOML, before any of it is understood.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

/// All of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrammarFile {
    pub name: Spanned<String>,
    #[serde(default)]
    pub sentence: Vec<Spanned<SentenceEntry>>,
    #[serde(default)]
    pub phrases: Ordered<PhraseEntry>,
    #[serde(default)]
    pub values: Ordered<Ordered<Lines>>,
    #[serde(default)]
    pub slots: Ordered<SlotEntry>,
}

/// One kind of sentence.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SentenceEntry {
    pub intent: Spanned<String>,
    pub say: Spanned<Lines>,
}

/// A phrase: expressions of which one is said, or parts in any order.
#[derive(Debug)]
pub(super) enum PhraseEntry {
    Either(Lines),
    AnyOrder(AnyOrderEntry),
}

/// Parts in any order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnyOrderEntry {
    pub any_order: Vec<Spanned<String>>,
    pub between: Option<Spanned<String>>,
    pub at_least: Option<usize>,
    pub at_most: Option<usize>,
}

/// What is read off a sentence: a list of values of its own, or an expression that names such lists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SlotEntry {
    pub values: Option<Ordered<Lines>>,
    pub say: Option<Spanned<Lines>>,
    pub join: Option<String>,
}

/// An expression and where it stands in the file, in bytes; `None` where only its key is known.
#[derive(Debug)]
pub(super) struct Line {
    pub text: String,
    pub at: Option<usize>,
}

/// One expression, or a list of which one is said.
#[derive(Debug)]
pub(super) struct Lines(pub Vec<Line>);

impl Line {
    pub fn of(text: Spanned<String>) -> Self {
        Self { at: Some(text.span().start), text: text.into_inner() }
    }
}

/// A table whose rows keep the order of the file, which decides between two readings of a sentence.
#[derive(Debug)]
pub(super) struct Ordered<T>(pub Vec<(Spanned<String>, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Rows<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut rows: Vec<(Spanned<String>, T)> = Vec::new();
                while let Some(row) = map.next_entry()? {
                    rows.push(row);
                }
                // The parser sorts keys by name; where they stood tells their order.
                rows.sort_by_key(|(key, _)| key.span().start);
                Ok(Ordered(rows))
            }
        }
        deserializer.deserialize_map(Rows(std::marker::PhantomData))
    }
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LinesVisitor;
        impl<'de> Visitor<'de> for LinesVisitor {
            type Value = Lines;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E>(self, text: &str) -> Result<Lines, E> {
                Ok(Lines(vec![Line { text: text.to_owned(), at: None }]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Lines, A::Error> {
                let mut lines = Vec::new();
                while let Some(line) = seq.next_element()? {
                    lines.push(Line::of(line));
                }
                Ok(Lines(lines))
            }
        }
        deserializer.deserialize_any(LinesVisitor)
    }
}

impl<'de> Deserialize<'de> for PhraseEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PhraseVisitor;
        impl<'de> Visitor<'de> for PhraseVisitor {
            type Value = PhraseEntry;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a string, a list of strings, or a table with any_order")
            }

            fn visit_str<E>(self, text: &str) -> Result<PhraseEntry, E> {
                Ok(PhraseEntry::Either(Lines(vec![Line { text: text.to_owned(), at: None }])))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<PhraseEntry, A::Error> {
                let mut lines = Vec::new();
                while let Some(line) = seq.next_element()? {
                    lines.push(Line::of(line));
                }
                Ok(PhraseEntry::Either(Lines(lines)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PhraseEntry, A::Error> {
                AnyOrderEntry::deserialize(MapAccessDeserializer::new(map)).map(PhraseEntry::AnyOrder)
            }
        }
        deserializer.deserialize_any(PhraseVisitor)
    }
}
