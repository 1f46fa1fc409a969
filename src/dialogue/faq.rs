use crate::domain::Faq;

/// Questions by meaning: each entry's question and alternatives as vectors of length 1.
#[derive(Debug, Clone, Default)]
pub struct FaqIndex {
    rows: Vec<(usize, Vec<f32>)>,
}

impl FaqIndex {
    /// All texts to be encoded, in the order that [`FaqIndex::new`] expects their vectors.
    pub fn texts(faq: &[Faq]) -> Vec<String> {
        faq.iter().flat_map(|entry| std::iter::once(&entry.question).chain(&entry.alternatives).cloned()).collect()
    }

    /// Pairs the vectors with their entries.
    pub fn new(faq: &[Faq], vectors: Vec<Vec<f32>>) -> Self {
        let entries = faq.iter().enumerate().flat_map(|(at, entry)| std::iter::repeat_n(at, 1 + entry.alternatives.len()));
        Self { rows: entries.zip(vectors).collect() }
    }

    /// The entry that is nearest in meaning, with its cosine.
    pub fn nearest(&self, vector: &[f32]) -> Option<(usize, f32)> {
        let cosine = |row: &[f32]| row.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>();
        self.rows.iter().map(|(entry, row)| (*entry, cosine(row))).max_by(|a, b| a.1.total_cmp(&b.1))
    }
}
