use rand::Rng;
use rand::rngs::StdRng;

use super::utterances::Tone;
use super::{chance_of, normal};
use crate::behavior::outcome::HEADS;
use crate::domain::{Channel, IntentKind};

/// A kind of shopper. Nobody is told who is who: the network sees only what each does and says.
pub(super) struct Persona {
    /// What a person would call them.
    pub name: &'static str,
    /// Share among all shoppers; the table sums to 1.
    pub share: f32,
    /// When this person comes, as mean hour; the deviation is 2.5 hours.
    pub hour: f32,
    /// Mean number of turns after the first.
    pub more_turns: f32,
    /// Seconds a turn takes, on average.
    pub seconds_per_turn: f32,
    /// Chance that a turn goes unanswered.
    pub unanswered: f32,
    /// Mean number of items noted so far.
    pub basket: f32,
    /// Mood on the scale of sentiment, -1..=1.
    pub mood: f32,
    /// Chances of kiosk, phone and typed.
    pub channels: [f32; 3],
    /// How much more often than others this person takes a tone.
    pub tones: [f32; Tone::ALL.len()],
    /// What it adds to the logits of the outcomes, beyond everything that can be seen.
    pub bent: [f32; HEADS],
}

/// The five who come to the shop. Tones: plain, eager, hesitant, annoyed, curious.
pub(super) const PERSONAS: [Persona; 5] = [
    // The regular: knows what to buy, adds it to a full basket, needs nobody.
    Persona {
        name: "regular",
        share: 0.30,
        hour: 10.0,
        more_turns: 1.0,
        seconds_per_turn: 15.0,
        unanswered: 0.05,
        basket: 2.5,
        mood: 0.2,
        channels: [0.8, 0.1, 0.1],
        tones: [2.0, 2.0, 0.5, 0.3, 0.7],
        bent: [0.6, 0.0, -0.5, -0.4],
    },
    // The hurried one after work: few turns, buys at once or leaves.
    Persona {
        name: "hurried",
        share: 0.20,
        hour: 18.0,
        more_turns: 0.5,
        seconds_per_turn: 9.0,
        unanswered: 0.12,
        basket: 1.0,
        mood: -0.1,
        channels: [0.7, 0.25, 0.05],
        tones: [1.5, 2.0, 0.3, 1.2, 0.2],
        bent: [0.2, -0.6, -0.1, 0.7],
    },
    // The browser: looks, asks, compares, and likes to be shown something.
    Persona {
        name: "browser",
        share: 0.25,
        hour: 14.0,
        more_turns: 3.0,
        seconds_per_turn: 30.0,
        unanswered: 0.12,
        basket: 0.5,
        mood: 0.1,
        channels: [0.75, 0.05, 0.2],
        tones: [1.0, 0.4, 1.5, 0.3, 2.0],
        bent: [-0.5, 0.5, -0.2, 0.3],
    },
    // The newcomer: long sessions, much that the desk cannot answer, glad of a person.
    Persona {
        name: "newcomer",
        share: 0.15,
        hour: 12.0,
        more_turns: 3.5,
        seconds_per_turn: 35.0,
        unanswered: 0.30,
        basket: 0.4,
        mood: -0.1,
        channels: [0.6, 0.3, 0.1],
        tones: [1.0, 0.5, 1.6, 0.9, 1.0],
        bent: [-0.2, 0.1, 0.6, 0.1],
    },
    // The one with a complaint.
    Persona {
        name: "complainer",
        share: 0.10,
        hour: 16.0,
        more_turns: 2.0,
        seconds_per_turn: 25.0,
        unanswered: 0.30,
        basket: 0.3,
        mood: -0.5,
        channels: [0.4, 0.5, 0.1],
        tones: [0.7, 0.3, 0.8, 3.5, 0.2],
        bent: [-0.6, -0.5, 0.8, 0.4],
    },
];

impl Persona {
    /// One of the five, by share.
    pub fn draw(chance: &mut StdRng) -> &'static Persona {
        let at = pick(chance, &PERSONAS.each_ref().map(|p| p.share));
        &PERSONAS[at]
    }

    /// Where it speaks from.
    pub fn channel(&self, chance: &mut StdRng) -> Channel {
        [Channel::Kiosk, Channel::Phone, Channel::Typed][pick(chance, &self.channels)]
    }

    /// When it comes, within opening hours.
    pub fn arrives(&self, chance: &mut StdRng) -> f32 {
        (self.hour + 2.5 * normal(chance)).clamp(7.0, 21.9)
    }

    /// Turns so far and how many of them went unanswered; the present one is not yet.
    pub fn turns(&self, chance: &mut StdRng) -> (u32, u32) {
        let earlier = exponential(chance, self.more_turns).round().min(20.0) as u32;
        let unanswered = (0..earlier).filter(|_| chance_of(chance, self.unanswered)).count() as u32;
        (earlier + 1, unanswered)
    }

    /// Items noted so far.
    pub fn basket(&self, chance: &mut StdRng) -> u32 {
        exponential(chance, self.basket).floor().min(15.0) as u32
    }

    /// How likely it says a sentence of this kind and tone, against other sentences.
    pub fn affinity(&self, kind: IntentKind, tone: Tone) -> f32 {
        let wish = match kind {
            // People who are in a bad mood fetch a person more often; people with a basket order more often.
            IntentKind::Handoff => 0.4 - 0.8 * self.mood.min(0.0),
            IntentKind::Order => 0.6 + 0.4 * self.basket,
            IntentKind::Recommend => 1.2,
            IntentKind::Fact => 1.5,
            IntentKind::Faq => 0.8,
            IntentKind::Smalltalk | IntentKind::OutOfScope => 0.3,
        };
        wish * self.tones[tone as usize]
    }
}

/// A place in the list, by weight. The weights are positive; the last place also takes what rounding leaves over.
pub(super) fn pick(chance: &mut StdRng, weights: &[f32]) -> usize {
    let mut left = chance.random::<f32>() * weights.iter().sum::<f32>();
    for (at, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return at;
        }
    }
    weights.len().saturating_sub(1)
}

fn exponential(chance: &mut StdRng, mean: f32) -> f32 {
    -mean * (1.0 - chance.random::<f32>()).ln()
}
