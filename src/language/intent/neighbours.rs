use crate::language::{EMBEDDING, SentenceVector};

/// Nearest examples of one intent that a sentence is compared with.
const NEAREST: usize = 5;
/// Numbers kept of an example: the last layer of the public and of the adapted network.
pub(super) const WIDTH: usize = 2 * EMBEDDING;

/// The examples as they lie around a sentence, in bytes: a thousandth of a cosine is lost, three quarters of the memory are not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Neighbours {
    /// `[examples, 768]`, each of length 127 in either half.
    pub(super) places: Vec<i8>,
    /// `[examples]`.
    pub(super) labels: Vec<u32>,
}

impl Neighbours {
    pub(super) fn new<'a>(examples: impl Iterator<Item = (&'a SentenceVector, u32)>) -> Self {
        let (mut places, mut labels) = (Vec::new(), Vec::new());
        for (vector, label) in examples {
            places.extend(place(vector));
            labels.push(label);
        }
        Self { places, labels }
    }

    /// Mean cosine, in both networks, to the nearest examples of one intent; one example can be left out.
    pub(super) fn nearness(&self, vector: &SentenceVector, intent: u32, without: Option<usize>) -> f32 {
        let own = place(vector);
        let rows = self.places.chunks_exact(WIDTH).zip(&self.labels).enumerate();
        let of_intent = rows.filter(|(at, (_, label))| **label == intent && Some(*at) != without);
        let mut cosines: Vec<f32> = of_intent.map(|(_, (row, _))| product(row, &own) as f32 / (2.0 * SCALE * SCALE)).collect();
        cosines.sort_by(|a, b| b.total_cmp(a));
        cosines.truncate(NEAREST);
        cosines.iter().sum::<f32>() / cosines.len().max(1) as f32
    }
}

/// Length of a half in steps: the largest number of a vector of length 1 is below 0.4 in practice, and is clipped where not.
const SCALE: f32 = 300.0;

fn place(vector: &SentenceVector) -> Vec<i8> {
    let halves = vector.embedding().iter().chain(vector.adapted());
    halves.map(|x| (x * SCALE).round().clamp(-127.0, 127.0) as i8).collect()
}

fn product(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(x, y)| i32::from(*x) * i32::from(*y)).sum()
}
