//! Which of the desk's intents a sentence has, or that it has none.

mod calibration;
mod examples;
mod file;
mod neighbours;
#[cfg(test)]
mod tests;

pub use examples::IntentExamples;
pub(super) use examples::kept_back;

use sha2::{Digest, Sha256};

use super::lexical::Lexicon;
use super::svm::{LinearSvm, Row};
use super::{LanguageError, SentenceVector};
use crate::domain::{IntentDecision, IntentDefinition, IntentScore, Probability};
use calibration::{Calibration, Unseen, largest};
use neighbours::Neighbours;

/// Rounds of cross-validation by which temperature and threshold are set where there are few examples.
const FOLDS: usize = 5;
/// From this many examples on, one in eight is kept back for that instead: five more fits would take minutes.
const MANY_EXAMPLES: usize = 3_000;
/// Weight of errors against the length of the weights.
const COST: f32 = 0.4;
/// Intents kept in the record.
const TOP: usize = 3;

/// Decides which of the desk's intents a sentence has, or that it has none.
///
/// A linear function an intent, on sentence vectors joined with the words themselves, gives calibrated probabilities. Whether the
/// sentence is for this desk at all is a second question, as a softmax is sure of itself far from all it has seen: the standardised sum
/// of the largest score and the mean cosine to the nearest examples of the predicted intent must pass a threshold. Examples that are
/// for no desk are one more class.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentClassifier {
    names: Vec<String>,
    out_of_scope: Option<usize>,
    /// Fingerprint of the encoder that made the vectors.
    encoder: String,
    lexicon: Lexicon,
    head: LinearSvm,
    neighbours: Neighbours,
    calibration: Calibration,
}

/// What was found out about a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentReading {
    /// Clear, ambiguous or out of scope.
    pub decision: IntentDecision,
    /// The most probable intents, best first; never empty.
    pub intents: Vec<IntentScore>,
    /// How much the sentence is like those that the desk is for; higher is more.
    pub belonging: f32,
}

/// Another way of saying an example.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Place of the example.
    pub of: usize,
    /// What is said.
    pub text: String,
    /// Its vector.
    pub vector: SentenceVector,
}

/// How a classifier did on sentences in scope that it had not seen when it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FitReport {
    /// Sentences.
    pub unseen: usize,
    /// Of these, with the right intent.
    pub right: usize,
}

/// A key that changes with any example, any name and the encoder: a classifier fitted under another key is of no use.
pub fn examples_fingerprint(definitions: &[IntentDefinition], encoder: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(encoder);
    for definition in definitions {
        for text in std::iter::once(&definition.name).chain(&definition.examples) {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl IntentClassifier {
    /// Fits the classifier to examples with their vectors.
    ///
    /// `validation`, where there is one, has the same names in the same order; it sets temperature and threshold, and is learnt from
    /// afterwards too. Otherwise a part of the examples is kept back for that in a first fit. `variants` are other ways of saying some of
    /// the examples, by place; they teach the linear functions, and nothing is measured on them. `encoder` is
    /// [`Encoder::fingerprint`](super::Encoder::fingerprint).
    pub fn fit(
        train: (&IntentExamples, &[SentenceVector]),
        variants: &[Variant],
        validation: Option<(&IntentExamples, &[SentenceVector])>,
        encoder: &str,
        threads: usize,
    ) -> Result<(Self, FitReport), LanguageError> {
        let (examples, vectors) = train;
        examples.check(vectors)?;
        let learner = Learner::new(examples, vectors, variants, threads);
        let all: Vec<usize> = (0..vectors.len()).collect();
        let unseen = match validation {
            Some((others, their_vectors)) => {
                let first = learner.head(&all);
                let neighbours = learner.neighbours(&all);
                (0..their_vectors.len()).map(|at| learner.unseen(&first, &neighbours, (others, &their_vectors[at]), at, None)).collect()
            }
            None => learner.unseen_of_own(),
        };
        let calibration = Calibration::fit(&unseen);
        let judged = || unseen.iter().filter_map(|sentence| Some(largest(&sentence.scores).0 as u32 == sentence.intent?));
        let report = FitReport { unseen: judged().count(), right: judged().filter(|right| *right).count() };
        // The sentences for no desk that a validation has are of no class where the training has none.
        let grown = validation.map(|(others, their_vectors)| {
            let known: Vec<usize> = (0..others.texts.len()).filter(|&at| (others.labels[at] as usize) < examples.names.len()).collect();
            let mut grown = examples.clone();
            grown.texts.extend(known.iter().map(|&at| others.texts[at].clone()));
            grown.labels.extend(known.iter().map(|&at| others.labels[at]));
            (grown, [vectors, &known.iter().map(|&at| their_vectors[at].clone()).collect::<Vec<_>>()].concat())
        });
        let learner = grown.as_ref().map_or(learner, |(grown, vectors)| Learner::new(grown, vectors, variants, threads));
        let all: Vec<usize> = (0..learner.vectors.len()).collect();
        let classifier = Self {
            names: examples.names.clone(),
            out_of_scope: examples.out_of_scope,
            encoder: encoder.to_owned(),
            head: learner.head(&all),
            neighbours: learner.neighbours(&all),
            lexicon: learner.lexicon,
            calibration,
        };
        Ok((classifier, report))
    }

    /// What a sentence with this vector means. Two intents whose probabilities are nearer than `clarify_margin` are ambiguous.
    pub fn read(&self, text: &str, vector: &SentenceVector, clarify_margin: f32) -> IntentReading {
        let entries = self.lexicon.entries(text);
        let scores = self.head.scores(Row { dense: vector.as_slice(), sparse: &entries });
        let probabilities = self.calibration.probabilities(&scores);
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        let nearness = self.neighbours.nearness(vector, order[0] as u32, None);
        let belonging = self.calibration.belonging(scores[order[0]], nearness);
        let decision = if belonging < self.calibration.threshold || self.out_of_scope == Some(order[0]) {
            IntentDecision::OutOfScope
        } else if probabilities[order[0]] - probabilities[order[1]] < clarify_margin && self.out_of_scope != Some(order[1]) {
            IntentDecision::Ambiguous
        } else {
            IntentDecision::Clear
        };
        let score = |&at: &usize| IntentScore { intent: self.names[at].clone(), probability: Probability::clamped(probabilities[at]) };
        IntentReading { decision, intents: order.iter().take(TOP).map(score).collect(), belonging }
    }

    /// Names of the intents it knows.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Fingerprint of the encoder whose vectors it reads.
    pub fn encoder(&self) -> &str {
        &self.encoder
    }
}

/// Examples with their features, from which heads are fitted.
struct Learner<'a> {
    examples: &'a IntentExamples,
    vectors: &'a [SentenceVector],
    lexicon: Lexicon,
    entries: Vec<Vec<(u32, f32)>>,
    variants: &'a [Variant],
    variant_entries: Vec<Vec<(u32, f32)>>,
    threads: usize,
}

impl<'a> Learner<'a> {
    fn new(examples: &'a IntentExamples, vectors: &'a [SentenceVector], variants: &'a [Variant], threads: usize) -> Self {
        let lexicon = Lexicon::fit(examples.texts.iter().map(String::as_str));
        let entries = examples.texts.iter().map(|text| lexicon.entries(text)).collect();
        let variant_entries = variants.iter().map(|variant| lexicon.entries(&variant.text)).collect();
        Self { examples, vectors, lexicon, entries, variants, variant_entries, threads }
    }

    fn head(&'a self, seen: &[usize]) -> LinearSvm {
        let mut is_seen = vec![false; self.vectors.len()];
        seen.iter().for_each(|&at| is_seen[at] = true);
        let own = seen.iter().map(|&at| (at, Row { dense: self.vectors[at].as_slice(), sparse: &self.entries[at] }));
        let row = |(variant, entries): (&'a Variant, &'a Vec<_>)| (variant.of, Row { dense: variant.vector.as_slice(), sparse: entries });
        // A variant of a sentence that is kept back would give it away.
        let others = self.variants.iter().zip(&self.variant_entries).map(row).filter(|(of, _)| is_seen.get(*of) == Some(&true));
        let (places, rows): (Vec<usize>, Vec<Row<'_>>) = own.chain(others).unzip();
        let labels: Vec<u32> = places.iter().map(|&at| self.examples.labels[at]).collect();
        LinearSvm::fit(&rows, self.lexicon.width(), &labels, self.examples.names.len(), COST, self.threads)
    }

    fn neighbours(&self, seen: &[usize]) -> Neighbours {
        Neighbours::new(seen.iter().map(|&at| (&self.vectors[at], self.examples.labels[at])))
    }

    /// What a head makes of a sentence of `others`, which it has not seen.
    fn unseen(
        &self,
        head: &LinearSvm,
        neighbours: &Neighbours,
        (others, vector): (&IntentExamples, &SentenceVector),
        at: usize,
        without: Option<usize>,
    ) -> Unseen {
        let entries = self.lexicon.entries(&others.texts[at]);
        let scores = head.scores(Row { dense: vector.as_slice(), sparse: &entries });
        let nearness = neighbours.nearness(vector, largest(&scores).0 as u32, without);
        Unseen { scores, nearness, intent: others.in_scope(at).then(|| others.labels[at]) }
    }

    /// The examples themselves, each judged by a head that has not seen it.
    fn unseen_of_own(&self) -> Vec<Unseen> {
        let count = self.vectors.len();
        let folds: Vec<Vec<usize>> = if count >= MANY_EXAMPLES {
            let kept: Vec<usize> = (0..count).filter(|&at| kept_back(&self.examples.texts[at])).collect();
            // Who has taken those out already gets every eighth.
            vec![if kept.len() < count / 20 { (0..count).step_by(8).collect() } else { kept }]
        } else {
            (0..FOLDS).map(|fold| (fold..count).step_by(FOLDS).collect()).collect()
        };
        let all: Vec<usize> = (0..count).collect();
        let everyone = self.neighbours(&all);
        let mut unseen = Vec::with_capacity(count);
        for fold in folds {
            let mut kept = vec![true; count];
            fold.iter().for_each(|&at| kept[at] = false);
            let seen: Vec<usize> = (0..count).filter(|&at| kept[at]).collect();
            let head = self.head(&seen);
            unseen.extend(fold.iter().map(|&at| self.unseen(&head, &everyone, (self.examples, &self.vectors[at]), at, Some(at))));
        }
        unseen
    }
}
