//! A learner for tables: any CSV with numbers and words, and a column that says yes or no.
//!
//! [`Table`] reads the file; every row is kept or told of with its line. [`Schema`] learns what the columns are, and [`Labelled`] holds
//! rows as numbers and codes. [`learn()`] trains what a [`Recipe`] says: networks (`dense`, `fit`) see inputs that `inputs` makes
//! comparable; trees (`tree`, `trees`) see bins. Every learner is trained without a part of the rows and judged on it, and `blend`
//! weighs the kinds by these judgements. [`TabularModel`] is the result: one file, probabilities out.
//!
//! Invariants: the same rows, recipe and seed give the same bytes on any number of threads; a file that is cut, damaged or of other
//! shapes is refused in one sentence; nothing here reads the clock. Left to others: what to do about a probability.

mod accountant;
mod adam;
mod attribute;
mod bins;
mod blend;
mod card;
mod columns;
mod dense;
mod derived;
mod error;
mod events;
mod figures;
mod fit;
mod folds;
mod inputs;
mod jobs;
mod labelled;
mod learn;
mod matrix;
mod model;
mod private;
mod recipe;
mod rounds;
mod shrink;
mod stored;
mod stored_trees;
mod table;
mod tree;
mod trees;
mod tune;

pub use accountant::epsilon;
pub use attribute::Attribution;
pub use card::card;
pub use columns::{Column, Frame, Schema, labels};
pub use dense::{Dense, Start};
pub use derived::Derived;
pub use error::TabularError;
pub use events::event_file;
pub use figures::Figures;
pub use fit::{Epoch, FitConfig};
pub use inputs::{InputEncoding, View};
pub use labelled::Labelled;
pub use learn::{Learnt, learn};
pub use model::{About, Privacy, TabularModel};
pub use private::PrivacyWish;
pub use recipe::{Preset, Recipe};
pub use rounds::{Update, merge};
pub use shrink::{distill, prune, quantize};
pub use stored::MODEL_FILE;
pub use table::{BadRow, CELL_CHARACTERS_MAX, Row, Table, is_unknown};
pub use tune::{Trial, tune};
