//! Which product is meant, by words and photo together: "how much is this juice?" over a photo that could be three cartons.

use crate::domain::{Candidate, Catalog, Probability, Sighting, Understanding, Verdict};
use crate::language::{Hint, HintKind, ProductWords};

/// A photo gives no candidate less than this: it may be wrong, and words must be able to say so.
const PHOTO_MIN: f64 = 1e-4;

/// How much each sort of evidence counts.
///
/// The weight of a sort of hint is the log of the odds that a hint of this sort fits the product meant: 3 is a hint that is wrong in one
/// case of twenty. The weight of the photo is 1 where its probabilities are as right as they say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FusionWeights {
    /// Of the log probability by the photo.
    pub photo: f64,
    /// Of a name or category that fits.
    pub name: f64,
    /// Of a brand that fits.
    pub brand: f64,
    /// Of a size that fits.
    pub size: f64,
    /// Of another word of the product's names that fits.
    pub attribute: f64,
}

impl Default for FusionWeights {
    /// Fitted on training photos by `kioskd evaluate fusion --fit` (docs/results/fusion.md). Brands and sizes were too rare there to be
    /// fitted: theirs are set by hand.
    fn default() -> Self {
        Self { photo: 1.16, name: 3.24, brand: 3.0, size: 1.0, attribute: 2.08 }
    }
}

impl FusionWeights {
    /// The weights in the order of [`features`].
    pub fn row(&self) -> [f64; 5] {
        [self.photo, self.name, self.brand, self.size, self.attribute]
    }

    /// The same from their row.
    pub fn from_row([photo, name, brand, size, attribute]: [f64; 5]) -> Self {
        Self { photo, name, brand, size, attribute }
    }
}

/// Fuses words and photo. A log-linear model: the score of a candidate is the weighted sum of what speaks for it, and its probability the
/// softmax over the candidates of the photo. Words choose among what may be seen, and never add to it.
///
/// # Source
/// Logarithmic opinion pool: Genest & Zidek, "Combining Probability Distributions", Statistical Science 1(1), 1986. With hints that are
/// right or wrong independently of each other it is the posterior of a naive Bayes model.
#[derive(Debug, Clone, Default)]
pub struct Fusion {
    words: ProductWords,
    weights: FusionWeights,
}

impl Fusion {
    /// For the products of a catalog.
    pub fn new(catalog: &Catalog) -> Self {
        Self { words: ProductWords::new(catalog), weights: FusionWeights::default() }
    }

    /// What a turn shows when it is decided: the sighting alone, or with the words where there are some.
    pub(super) fn of_turn(&self, seen: Option<&Sighting>, text: Option<&str>, understanding: Option<&Understanding>) -> Option<Sighting> {
        match (seen, text, understanding) {
            (Some(seen), Some(text), Some(understanding)) => Some(self.fuse(seen, text, understanding)),
            _ => seen.cloned(),
        }
    }

    /// The sighting as it is after the words were heard: its candidates in their new order and with their new probabilities. A photo of
    /// something unknown stays as it is.
    pub fn fuse(&self, seen: &Sighting, text: &str, understanding: &Understanding) -> Sighting {
        match seen.verdict {
            Verdict::Unknown => seen.clone(),
            Verdict::Known => {
                Sighting { top: fused(&seen.top, &self.words.hints(text, &understanding.entities), &self.weights), ..seen.clone() }
            }
        }
    }
}

/// The candidates with the probabilities of photo and words together, best first. Their sum is that of before.
pub fn fused(candidates: &[Candidate], hints: &[Hint], weights: &FusionWeights) -> Vec<Candidate> {
    let row = weights.row();
    let score = |candidate: &Candidate| features(candidate, hints).iter().zip(row).map(|(x, weight)| x * weight).sum::<f64>();
    let scores: Vec<f64> = candidates.iter().map(score).collect();
    let given: f64 = candidates.iter().map(|candidate| f64::from(candidate.probability.get())).sum();
    let shares = softmax(&scores).into_iter().map(|share| Probability::clamped((share * given) as f32));
    let mut fused: Vec<Candidate> = candidates.iter().zip(shares).map(|(c, probability)| Candidate { probability, ..c.clone() }).collect();
    fused.sort_by(|a, b| b.probability.get().total_cmp(&a.probability.get()));
    fused
}

/// What speaks for a candidate: the log of its probability by the photo, then how many names, brands, sizes and attributes fit it.
pub fn features(candidate: &Candidate, hints: &[Hint]) -> [f64; 5] {
    let fit = |kind: HintKind| {
        let fits = |hint: &&Hint| hint.kind == kind && candidate.product.as_ref().is_some_and(|id| hint.fits.binary_search(id).is_ok());
        hints.iter().filter(fits).count() as f64
    };
    let photo = f64::from(candidate.probability.get()).max(PHOTO_MIN).ln();
    [photo, fit(HintKind::Name), fit(HintKind::Brand), fit(HintKind::Size), fit(HintKind::Attribute)]
}

/// Shares of 1 that grow with the exponential of each score.
pub fn softmax(scores: &[f64]) -> Vec<f64> {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let unscaled: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
    let sum: f64 = unscaled.iter().sum();
    unscaled.into_iter().map(|value| value / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ProductId;

    fn candidate(product: &str, probability: f32) -> Candidate {
        let product = Some(ProductId(product.to_owned()));
        Candidate { label: String::new(), class_id: 0, probability: Probability::clamped(probability), product }
    }

    fn hint(kind: HintKind, fits: &[&str]) -> Hint {
        Hint { kind, fits: fits.iter().map(|id| ProductId((*id).to_owned())).collect() }
    }

    #[track_caller]
    fn check(hints: &[Hint], order: [&str; 3]) {
        let seen = [candidate("apple-juice", 0.5), candidate("milk", 0.3), candidate("orange-juice", 0.1)];
        let fused = fused(&seen, hints, &FusionWeights::default());
        let found: Vec<&str> = fused.iter().filter_map(|c| c.product.as_ref()).map(ProductId::as_str).collect();
        assert_eq!(found, order);
        let sum: f32 = fused.iter().map(|c| c.probability.get()).sum();
        assert!((sum - 0.9).abs() < 1e-5, "{sum}");
    }

    #[test]
    fn words_choose_among_what_may_be_seen() {
        check(&[], ["apple-juice", "milk", "orange-juice"]);
        check(&[hint(HintKind::Name, &["milk"])], ["milk", "apple-juice", "orange-juice"]);
        check(
            &[hint(HintKind::Name, &["apple-juice", "orange-juice"]), hint(HintKind::Attribute, &["orange-juice"])],
            ["orange-juice", "apple-juice", "milk"],
        );
        check(&[hint(HintKind::Brand, &["something-else"])], ["apple-juice", "milk", "orange-juice"]);
    }

    #[test]
    fn a_sure_photo_outweighs_a_word_that_does_not_fit() {
        let seen = [candidate("apple", 0.995), candidate("milk", 0.002)];
        let fused = fused(&seen, &[hint(HintKind::Name, &["milk"])], &FusionWeights::default());
        assert_eq!(fused[0].product, Some(ProductId("apple".to_owned())));
    }
}
