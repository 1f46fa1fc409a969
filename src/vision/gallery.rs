use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::{EMBEDDING, VisionError};
use crate::domain::Verdict;
use crate::weights::VerifiedFile;

/// Views kept of each class: the centres of its photos' features. One a class rejects fewer strangers, more than four gain nothing.
const VIEWS: usize = 4;
/// Rounds of k-means; it settles in fewer.
const ROUNDS: usize = 12;
/// Share of known photos that must stay known when the threshold is set.
const KEPT: f32 = 0.95;

/// Enrolled views of every class, and the threshold between known and unknown.
///
/// The score of a photo is the sum of two numbers, each standardised on photos of known products: the calibrated probability of the
/// best class and the cosine to that class's nearest view. Together they reject more strangers than either alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Gallery {
    /// `[classes * VIEWS, 1280]`, rows of L2 norm 1.
    views: Vec<f32>,
    classes: usize,
    calibration: Calibration,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Calibration {
    probability: (f32, f32),
    similarity: (f32, f32),
    threshold: f32,
}

impl Gallery {
    /// Loads a checked file made by [`GalleryBuilder`].
    pub fn load(file: &VerifiedFile) -> Result<Self, VisionError> {
        let bad = |reason: String| VisionError::Contract { path: file.path().to_owned(), reason };
        let bytes = std::fs::read(file.path()).map_err(|e| bad(e.to_string()))?;
        Self::parse(&bytes).map_err(bad)
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
        let (shape, views) = floats(&tensors, "views")?;
        let [classes, VIEWS, EMBEDDING] = shape[..] else { return Err(format!("views has the shape {shape:?}")) };
        let (_, numbers) = floats(&tensors, "calibration")?;
        let [pm, ps, sm, ss, threshold] = numbers[..] else { return Err(format!("calibration has {} numbers", numbers.len())) };
        let sound = numbers.iter().chain(&views).all(|n| n.is_finite()) && ps > 0.0 && ss > 0.0;
        let calibration = Calibration { probability: (pm, ps), similarity: (sm, ss), threshold };
        if sound { Ok(Self { views, classes, calibration }) } else { Err("it holds numbers that are not finite".to_owned()) }
    }

    /// Writes it beside its final place first, so that a half-written gallery never has the name of a whole one.
    pub fn save(&self, path: &Path) -> Result<(), VisionError> {
        let bad = |reason: String| VisionError::Contract { path: path.to_owned(), reason };
        let Calibration { probability: (pm, ps), similarity: (sm, ss), threshold } = self.calibration;
        let views: Vec<u8> = self.views.iter().flat_map(|v| v.to_le_bytes()).collect();
        let numbers: Vec<u8> = [pm, ps, sm, ss, threshold].iter().flat_map(|v| v.to_le_bytes()).collect();
        let view = |shape, data| TensorView::new(Dtype::F32, shape, data).map_err(|e| bad(e.to_string()));
        let tensors = [("views", view(vec![self.classes, VIEWS, EMBEDDING], &views)?), ("calibration", view(vec![5], &numbers)?)];
        let bytes = safetensors::serialize(tensors, None).map_err(|e| bad(e.to_string()))?;
        crate::weights::write_atomically(path, &bytes).map_err(|e| bad(e.to_string()))
    }

    /// Known or unknown, and the cosine to the nearest view of the class.
    pub fn judge(&self, class_id: usize, probability: f32, embedding: &[f32]) -> (Verdict, f32) {
        let similarity = self.similarity(class_id, embedding);
        let known = self.score(probability, similarity) >= self.calibration.threshold;
        (if known { Verdict::Known } else { Verdict::Unknown }, similarity)
    }

    /// Higher is more surely known.
    pub fn score(&self, probability: f32, similarity: f32) -> f32 {
        let standard = |value: f32, (mean, deviation): (f32, f32)| (value - mean) / deviation;
        standard(probability, self.calibration.probability) + standard(similarity, self.calibration.similarity)
    }

    /// The views of each class, `VIEWS` rows of 1280 a class.
    pub fn views(&self) -> impl Iterator<Item = &[f32]> {
        self.views.chunks_exact(EMBEDDING)
    }

    /// Which class the view at this place of [`Gallery::views`] belongs to.
    pub fn class_of_view(at: usize) -> usize {
        at / VIEWS
    }

    fn similarity(&self, class_id: usize, embedding: &[f32]) -> f32 {
        let unit = unit(embedding);
        let rows = self.views.chunks_exact(EMBEDDING).skip(class_id * VIEWS).take(VIEWS);
        rows.map(|row| dot(row, &unit)).fold(-1.0, f32::max)
    }
}

/// Collects features of enrolled photos and makes a [`Gallery`] of them.
#[derive(Debug, Default)]
pub struct GalleryBuilder {
    by_class: Vec<Vec<Vec<f32>>>,
}

impl GalleryBuilder {
    /// Enrols the features of one photo, `[1280]`.
    pub fn enrol(&mut self, class_id: usize, embedding: &[f32]) {
        if self.by_class.len() <= class_id {
            self.by_class.resize(class_id + 1, Vec::new());
        }
        self.by_class[class_id].push(unit(embedding));
    }

    /// Centres of each class, without a threshold yet: everything is known.
    pub fn build(&self) -> Gallery {
        let views = self.by_class.iter().flat_map(|photos| centres(photos)).flatten().collect();
        let calibration = Calibration { probability: (0.0, 1.0), similarity: (0.0, 1.0), threshold: f32::MIN };
        Gallery { views, classes: self.by_class.len(), calibration }
    }
}

impl Gallery {
    /// Sets the threshold so that 95% of these known photos stay known; each is `(class, probability, features)` of the best class.
    pub fn calibrated(mut self, photos: &[(usize, f32, Vec<f32>)]) -> Self {
        let similarities: Vec<f32> = photos.iter().map(|(class_id, _, embedding)| self.similarity(*class_id, embedding)).collect();
        let probabilities: Vec<f32> = photos.iter().map(|(_, probability, _)| *probability).collect();
        self.calibration.probability = mean_and_deviation(&probabilities);
        self.calibration.similarity = mean_and_deviation(&similarities);
        let mut scores: Vec<f32> = probabilities.iter().zip(&similarities).map(|(&p, &s)| self.score(p, s)).collect();
        scores.sort_by(f32::total_cmp);
        self.calibration.threshold = scores.get(((1.0 - KEPT) * scores.len() as f32) as usize).copied().unwrap_or(f32::MIN);
        self
    }
}

/// Spherical k-means, begun with the photos that lie farthest apart, so that it needs no chance.
fn centres(photos: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let Some(first) = photos.first() else { return vec![vec![0.0; EMBEDDING]; VIEWS] };
    let mut centres = vec![first.clone()];
    while centres.len() < VIEWS {
        let nearest = |photo: &Vec<f32>| centres.iter().map(|c| dot(c, photo)).fold(-1.0, f32::max);
        let farthest = photos.iter().min_by(|a, b| nearest(a).total_cmp(&nearest(b))).unwrap_or(first);
        centres.push(farthest.clone());
    }
    for _ in 0..ROUNDS {
        let mut sums = vec![vec![0.0f32; EMBEDDING]; VIEWS];
        for photo in photos {
            let best = (0..VIEWS).max_by(|&a, &b| dot(&centres[a], photo).total_cmp(&dot(&centres[b], photo))).unwrap_or(0);
            sums[best].iter_mut().zip(photo).for_each(|(sum, x)| *sum += x);
        }
        for (centre, sum) in centres.iter_mut().zip(&sums).filter(|(_, sum)| sum.iter().any(|x| *x != 0.0)) {
            *centre = unit(sum);
        }
    }
    centres
}

fn unit(vector: &[f32]) -> Vec<f32> {
    let norm = dot(vector, vector).sqrt().max(f32::MIN_POSITIVE);
    vector.iter().map(|x| x / norm).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn mean_and_deviation(values: &[f32]) -> (f32, f32) {
    let count = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / count;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / count;
    (mean, variance.sqrt().max(1e-6))
}

fn floats(tensors: &SafeTensors<'_>, name: &str) -> Result<(Vec<usize>, Vec<f32>), String> {
    let tensor = tensors.tensor(name).map_err(|e| e.to_string())?;
    if tensor.dtype() != Dtype::F32 {
        return Err(format!("{name} is {:?}; expected F32", tensor.dtype()));
    }
    let values = tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    Ok((tensor.shape().to_vec(), values))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(direction: usize, lean: f32) -> Vec<f32> {
        let mut vector = vec![0.0; EMBEDDING];
        vector[direction] = 3.0;
        vector[direction + 1] = lean;
        vector
    }

    fn gallery() -> Gallery {
        let mut builder = GalleryBuilder::default();
        for class_id in 0..3 {
            (0..8).for_each(|n| builder.enrol(class_id, &feature(10 * class_id, n as f32 / 8.0)));
        }
        let known: Vec<_> = (0..60).map(|n| (n % 3, 0.7 + (n % 20) as f32 / 80.0, feature(10 * (n % 3), n as f32 / 60.0))).collect();
        builder.build().calibrated(&known)
    }

    #[test]
    fn a_stranger_is_unknown_and_an_enrolled_product_is_known() {
        let gallery = gallery();
        assert_eq!(gallery.judge(1, 0.9, &feature(10, 0.4)).0, Verdict::Known);
        assert_eq!(gallery.judge(1, 0.4, &feature(700, 0.4)).0, Verdict::Unknown);
    }

    #[test]
    fn a_saved_gallery_is_the_same_when_loaded_and_a_cut_one_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("gallery.safetensors");
        gallery().save(&path).expect("saves");
        let bytes = std::fs::read(&path).expect("reads");
        assert_eq!(Gallery::parse(&bytes), Ok(gallery()));
        assert!(Gallery::parse(&bytes[..bytes.len() / 2]).is_err());
    }
}
