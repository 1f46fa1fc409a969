use super::Habits;
use crate::audio::EndpointConfig;
use crate::domain::Probability;
use crate::language::Ending;
use crate::speech::grammar::Standing;

// The numbers below come from a logistic regression on the development part of benches/endpoint/join.py: whether a pause was an end, by the
// kind of words before it and the log-odds of Smart Turn. Some were then moved by hand for fewer cut-offs at a median wait of 300 ms;
// docs/results/endpoint.md tells which. They hold for pauses of which about half are ends.

/// Log-odds from which the speaker is taken to be surely done, and down to which to be surely not. Between them the wait grows evenly: of
/// people whose pauses grow rare exponentially with their length, that costs the least cut-offs for the time that is waited.
const SURELY_DONE: f32 = 1.5;
const SURELY_NOT: f32 = 0.8;

/// How much the voice's own log-odds count beside words that a grammar was asked about, beside other words, and alone. It is much surer
/// than it is right: half of all pauses inside a sentence sound complete to it.
const SOUND_WEIGHT: f32 = 0.2;
const SOUND_WEIGHT_NO_GRAMMAR: f32 = 0.35;
const SOUND_WEIGHT_ALONE: f32 = 0.27;

/// The voice is never surer than this.
const SOUND_MIN: f32 = 0.002;

/// Slots from which on an order may stand as it is and may be added to: with one, most people are done.
const SLOTS_OPEN_MIN: u8 = 2;

/// What is known, at a pause, about whether the speaker is done. What is not known is `None` and counts neither way.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Evidence {
    /// How likely the voice is done, by Smart Turn.
    pub sound: Option<Probability>,
    /// How the words end.
    pub ending: Option<Ending>,
    /// Where the words stand in a grammar.
    pub standing: Option<Standing>,
}

impl Evidence {
    /// Whether the words could stand as they are and are often added to: whether they are is a habit of the place.
    pub fn is_open_whole(&self) -> bool {
        matches!(self.standing, Some(Standing::Whole { slots_open: SLOTS_OPEN_MIN.. }))
    }
}

/// Silence that ends the utterance, in milliseconds from the beginning of the silence: between `wait_finished_ms` and `wait_unfinished_ms`,
/// less the surer it is that the speaker is done. Without any evidence it is `trailing_silence_ms`.
pub fn patience_ms(evidence: &Evidence, habits: &Habits, config: &EndpointConfig) -> u32 {
    match log_odds(evidence, habits) {
        None => config.trailing_silence_ms,
        Some(log_odds) => {
            let unsure = ((SURELY_DONE - log_odds + config.caution) / (SURELY_DONE - SURELY_NOT)).clamp(0.0, 1.0);
            let span_ms = config.wait_unfinished_ms.saturating_sub(config.wait_finished_ms);
            config.wait_finished_ms + (unsure * span_ms as f32).round() as u32
        }
    }
}

/// Log-odds that the speaker is done; `None` where nothing is known.
fn log_odds(evidence: &Evidence, habits: &Habits) -> Option<f32> {
    if evidence.is_open_whole() {
        // The voice tells nothing here: it falls at the end of "a mocha" whether or not "with milk" comes.
        return Some(habits.log_odds_done());
    }
    let sound = evidence.sound.map(|done| {
        let done = done.get().clamp(SOUND_MIN, 1.0 - SOUND_MIN);
        (done / (1.0 - done)).ln()
    });
    let words = of_words(evidence.ending, evidence.standing);
    match (words, sound) {
        (Some(words), Some(sound)) => {
            let weight = if evidence.standing.is_some() { SOUND_WEIGHT } else { SOUND_WEIGHT_NO_GRAMMAR };
            Some(words + weight * sound)
        }
        (words, None) => words,
        (None, sound) => sound.map(|sound| SOUND_WEIGHT_ALONE * sound),
    }
}

/// What the words tell. A sentence of the grammar tells more than the general rule about words, and half a one that everybody would take
/// for a whole one ("make me a light rose.") most of all.
fn of_words(ending: Option<Ending>, standing: Option<Standing>) -> Option<f32> {
    match (standing, ending) {
        (Some(Standing::Begun), _) => Some(-3.0),
        (_, Some(Ending::Unfinished)) => Some(-2.4),
        (Some(Standing::Whole { slots_open: 0 }), _) => Some(2.2),
        // "A mocha with milk": a few add sugar after a pause.
        (Some(Standing::Whole { .. }), _) => Some(1.5),
        (_, Some(Ending::Closed)) => Some(2.0),
        // Without a grammar, half an order is such a sentence as well; with one, only what it does not know.
        (None, Some(Ending::Asked | Ending::Finished)) => Some(1.0),
        (_, Some(Ending::Asked)) => Some(1.3),
        (_, Some(Ending::Finished)) => Some(0.4),
        (_, Some(Ending::Open)) => Some(0.2),
        (_, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SURE: Option<f32> = Some(0.99);
    const UNSURE: Option<f32> = Some(0.5);
    const GOES_ON: Option<f32> = Some(0.02);

    const WHOLE: Option<Standing> = Some(Standing::Whole { slots_open: 0 });
    const WHOLE_BUT_ONE: Option<Standing> = Some(Standing::Whole { slots_open: 1 });
    const WHOLE_SO_FAR: Option<Standing> = Some(Standing::Whole { slots_open: 2 });

    fn wait_ms(sound: Option<f32>, ending: Option<Ending>, standing: Option<Standing>) -> u32 {
        let evidence = Evidence { sound: sound.map(Probability::clamped), ending, standing };
        patience_ms(&evidence, &Habits::default(), &EndpointConfig::default())
    }

    #[test]
    fn what_is_known_decides_how_long_is_waited() {
        use Ending::{Asked, Closed, Finished, Open, Unfinished};
        let config = EndpointConfig::default();
        let (least, most) = (config.wait_finished_ms, config.wait_unfinished_ms);
        let table = [
            // A whole sentence of the grammar ends at once, whatever the voice did; so do "please" and a question in a voice that is done.
            (SURE, Some(Finished), WHOLE, least..=least),
            (GOES_ON, Some(Finished), WHOLE, least..=600),
            (SURE, Some(Closed), None, least..=least),
            (SURE, Some(Asked), Some(Standing::Elsewhere), least..=least),
            (SURE, Some(Asked), None, least..=least),
            (GOES_ON, Some(Asked), Some(Standing::Elsewhere), 500..=most),
            // "A latte with": whatever the voice did.
            (SURE, Some(Unfinished), None, most..=most),
            (GOES_ON, Some(Unfinished), None, most..=most),
            (SURE, Some(Open), Some(Standing::Begun), most..=most),
            // "Make me a light rose.": a sentence, but half an order.
            (SURE, Some(Finished), Some(Standing::Begun), most..=most),
            (SURE, Some(Finished), WHOLE_BUT_ONE, least..=least),
            // "A mocha." may go on with milk and sugar, whatever the voice did.
            (SURE, Some(Finished), WHOLE_SO_FAR, least..=900),
            (GOES_ON, Some(Finished), WHOLE_SO_FAR, least..=900),
            // A statement that the grammar does not know.
            (SURE, Some(Finished), Some(Standing::Elsewhere), least..=1_200),
            (SURE, Some(Finished), None, least..=least),
            (GOES_ON, Some(Finished), None, 1_000..=most),
            (GOES_ON, Some(Open), None, most..=most),
            // Half of it is missing.
            (SURE, None, None, least..=1_000),
            (None, Some(Asked), None, least..=1_700),
            (None, Some(Unfinished), None, most..=most),
            (UNSURE, None, None, 500..=most),
            (None, None, None, config.trailing_silence_ms..=config.trailing_silence_ms),
        ];
        for (row, (sound, ending, standing, expected)) in table.into_iter().enumerate() {
            let found = wait_ms(sound, ending, standing);
            assert!(expected.contains(&found), "row {row}: {found} ms, expected {expected:?}");
        }
    }

    #[test]
    fn an_order_that_may_be_added_to_waits_as_the_people_of_the_place_are_used_to() {
        let evidence = Evidence { standing: WHOLE_SO_FAR, ..Default::default() };
        let config = EndpointConfig::default();
        let of = |is_end: fn(usize) -> bool| {
            let mut habits = Habits::default();
            (0..30).for_each(|pause| habits.note(is_end(pause)));
            patience_ms(&evidence, &habits, &config)
        };
        assert_eq!(of(|_| true), config.wait_finished_ms);
        assert_eq!(of(|pause| pause % 10 > 0), config.wait_finished_ms);
        assert!((500..1_500).contains(&of(|pause| pause % 4 > 0)), "{}", of(|pause| pause % 4 > 0));
        assert_eq!(of(|pause| pause.is_multiple_of(3)), config.wait_unfinished_ms);
    }

    #[test]
    fn a_surer_voice_is_never_waited_for_longer() {
        for ending in [None, Some(Ending::Unfinished), Some(Ending::Open), Some(Ending::Finished), Some(Ending::Asked)] {
            let waits: Vec<u32> = (0..=100).map(|percent| wait_ms(Some(percent as f32 / 100.0), ending, None)).collect();
            assert!(waits.is_sorted_by(|a, b| a >= b), "{ending:?}: {waits:?}");
        }
    }

    #[test]
    fn caution_waits_longer() {
        let evidence = Evidence { sound: Some(Probability::clamped(0.7)), ending: Some(Ending::Finished), standing: None };
        let of = |caution| patience_ms(&evidence, &Habits::default(), &EndpointConfig { caution, ..Default::default() });
        assert!(of(0.5) > of(0.0) && of(0.0) > of(-0.5));
        assert!(of(5.0) == EndpointConfig::default().wait_unfinished_ms && of(-5.0) == EndpointConfig::default().wait_finished_ms);
    }
}
