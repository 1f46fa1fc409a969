use super::{Probability, ProductId};

/// One possible reading of a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The product in the shop's catalog, where it carries one for this class.
    pub product: Option<ProductId>,
    /// The class as people call it.
    pub label: String,
    /// Index of the class among the classifier's outputs.
    pub class_id: usize,
    /// Calibrated probability.
    pub probability: Probability,
}

/// Whether the photo shows something the shop knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// The first candidate is what the photo shows.
    Known,
    /// Nothing the classifier has learnt; the candidates are only the nearest.
    Unknown,
}

/// What keeps a photo from being read well, in the order in which it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhotoAdvice {
    /// Too dark to see.
    TooDark,
    /// Washed out.
    TooBright,
    /// Out of focus or moved.
    Blurred,
}

impl PhotoAdvice {
    /// What to tell the person.
    pub fn sentence(self) -> &'static str {
        match self {
            PhotoAdvice::TooDark => "The picture is very dark. Please hold it closer to the light.",
            PhotoAdvice::TooBright => "The picture is too bright. Please turn it a little away from the light.",
            PhotoAdvice::Blurred => "The picture is blurred. Please hold it still for a moment.",
        }
    }
}

/// What was seen on a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// Known or unknown.
    pub verdict: Verdict,
    /// The most probable classes, best first; never empty.
    pub top: Vec<Candidate>,
    /// Cosine to the nearest enrolled view of the best class.
    pub similarity: f32,
    /// What would make the next photo better, if anything.
    pub advice: Option<PhotoAdvice>,
    /// `[1280]`, the classifier's pooled features, not scaled.
    pub embedding: Vec<f32>,
}

impl Sighting {
    /// The product seen, where the photo is known and the shop sells it.
    pub fn product(&self) -> Option<&ProductId> {
        match self.verdict {
            Verdict::Known => self.top.first().and_then(|best| best.product.as_ref()),
            Verdict::Unknown => None,
        }
    }
}
