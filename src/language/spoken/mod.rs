//! Numbers, prices, times, days and spellings as people say them: from words to values, and back for speech.
//!
//! One file is one idea, and reads both ways where both are needed: [`numbers`] ("four one seven", "a hundred and five"), [`prices`]
//! ("two ninety nine"), [`times`] ("half past three"), [`dates`] ("may twenty first"), [`quantities`] ("250 g"), [`spelling`] ("M as in
//! Mike"). [`aloud`] says values in words; what it says, the readers understand again. [`canonical`] brings two texts to one form, so
//! that a transcript can be held against what was said without counting ways of writing as errors.
//!
//! What holds here: every reader takes the whole text or nothing (`None`), whatever the text is; nothing is guessed from context that is
//! not in the text, except where a rule says so (hours of the shop); no arithmetic overflows.

pub mod aloud;
pub mod canonical;
pub mod dates;
pub mod numbers;
pub mod prices;
pub mod quantities;
pub(super) mod scan;
pub mod spelling;
mod spellings;
pub mod times;
