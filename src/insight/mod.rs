//! What many visits say together: functions over records, without models and without the log.
//!
//! [`Baskets`] holds who bought what with what; [`rules`] finds what goes with what. A [`Sheet`] holds rows of any kind by named columns;
//! [`Space`] makes them points that can be compared, and [`segments()`] parts them into kinds of visits. [`demand()`] says what is wanted
//! when, and what was unusual. [`meaning_groups`] puts sentences together that ask for the same. Nothing here reads a file or knows a shop;
//! the same rows and seed give the same result.

mod baskets;
mod demand;
mod itemsets;
mod meaning;
mod rules;
mod segments;
mod sheet;
mod silhouette;
mod space;

pub use baskets::Baskets;
pub use demand::{DAYS_MIN, Demand, Event, Place, ProductDemand, Unusual, Usual, demand, weekday};
pub use meaning::{MeaningGroup, SENTENCES_MAX, meaning_groups};
pub use rules::{Rule, RuleLimits, TooMany, rules};
pub use segments::{NoSegments, ROWS_MIN, Segment, SegmentConfig, Segmentation, Trait, segments};
pub use sheet::{Cells, Column, Sheet};
pub use space::{Axis, Space};
