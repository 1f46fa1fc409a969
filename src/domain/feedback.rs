use super::{ProductId, SessionId};

/// What became of a turn or of a session, as a till, a page or a member of staff tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// The conversation.
    pub session: SessionId,
    /// The turn it is about; `None` where it is about the session as a whole.
    pub turn: Option<u32>,
    /// When it arrived, in milliseconds since 1970 (UTC).
    pub at_unix_ms: u64,
    /// What happened.
    pub outcome: FeedbackOutcome,
    /// The product it is about, where there is one.
    pub product: Option<ProductId>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedbackOutcome {
    /// Something was bought.
    Purchase,
    /// A recommendation was taken.
    Accepted,
    /// A recommendation was refused.
    Rejected,
    /// The answer was liked.
    ThumbsUp,
    /// The answer was not liked.
    ThumbsDown,
    /// A member of staff had to take over.
    HandedOver,
    /// The person left without what they came for.
    Left,
    /// Stars, from 1 to [`FeedbackOutcome::STARS_MAX`].
    Rated(u8),
}

impl FeedbackOutcome {
    /// The most stars there are.
    pub const STARS_MAX: u8 = 5;

    /// Names of all outcomes, as [`FeedbackOutcome::name`] gives them.
    pub const NAMES: [&'static str; 8] = ["purchase", "accepted", "rejected", "thumbs_up", "thumbs_down", "handed_over", "left", "rated"];

    /// Its name in records.
    pub fn name(self) -> &'static str {
        let [purchase, accepted, rejected, up, down, handed_over, left, rated] = Self::NAMES;
        match self {
            FeedbackOutcome::Purchase => purchase,
            FeedbackOutcome::Accepted => accepted,
            FeedbackOutcome::Rejected => rejected,
            FeedbackOutcome::ThumbsUp => up,
            FeedbackOutcome::ThumbsDown => down,
            FeedbackOutcome::HandedOver => handed_over,
            FeedbackOutcome::Left => left,
            FeedbackOutcome::Rated(_) => rated,
        }
    }

    /// The outcome of this name; stars are given with `rated` and with nothing else. `None` for what is no outcome.
    pub fn of_name(name: &str, stars: Option<u8>) -> Option<Self> {
        if name == "rated" {
            return stars.filter(|stars| (1..=Self::STARS_MAX).contains(stars)).map(FeedbackOutcome::Rated);
        }
        let plain = [
            FeedbackOutcome::Purchase,
            FeedbackOutcome::Accepted,
            FeedbackOutcome::Rejected,
            FeedbackOutcome::ThumbsUp,
            FeedbackOutcome::ThumbsDown,
            FeedbackOutcome::HandedOver,
            FeedbackOutcome::Left,
        ];
        plain.into_iter().find(|outcome| outcome.name() == name && stars.is_none())
    }

    /// The stars, where some were given.
    pub fn stars(self) -> Option<u8> {
        match self {
            FeedbackOutcome::Rated(stars) => Some(stars),
            _ => None,
        }
    }

    /// What is taken back by saying this of the same turn and product: who changes their mind replaces what they said before.
    pub fn replaces(self) -> &'static [&'static str] {
        match self {
            FeedbackOutcome::Accepted => &["rejected"],
            FeedbackOutcome::Rejected => &["accepted"],
            FeedbackOutcome::ThumbsUp => &["thumbs_down"],
            FeedbackOutcome::ThumbsDown => &["thumbs_up"],
            FeedbackOutcome::Purchase | FeedbackOutcome::HandedOver | FeedbackOutcome::Left | FeedbackOutcome::Rated(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_name_that_leads_back_to_it() {
        for name in FeedbackOutcome::NAMES {
            let stars = (name == "rated").then_some(4);
            assert_eq!(FeedbackOutcome::of_name(name, stars).map(FeedbackOutcome::name), Some(name));
        }
    }

    #[test]
    fn stars_go_with_a_rating_alone_and_within_their_range() {
        assert_eq!(FeedbackOutcome::of_name("rated", Some(5)), Some(FeedbackOutcome::Rated(5)));
        for (name, stars) in [("rated", None), ("rated", Some(0)), ("rated", Some(6)), ("purchase", Some(3)), ("bought", None)] {
            assert_eq!(FeedbackOutcome::of_name(name, stars), None, "{name} {stars:?}");
        }
    }
}
