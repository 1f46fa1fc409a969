//! What a photo shows: from bytes to a [`crate::domain::Sighting`].
//!
//! [`decode`] makes pixels of JPEG, PNG or WebP within bounds and turns them upright; [`advice`] says what would make the next photo
//! better; [`Classifier`] runs the ONNX network, whose contract (crop, scale, normalise, temperature) stands in one place; [`Gallery`]
//! keeps a few enrolled views of each class and decides known or unknown. A product that was never enrolled is an outcome, not an
//! error. Which product of the shop a class stands for is handed in; there are no shops here.

mod classes;
mod classify;
mod decode;
mod gallery;
mod quality;

pub use classes::{ClassLabel, PhotoClass, read_classes};
pub use classify::{Classifier, EMBEDDING, Reading};
pub use decode::{CROP_SIDE, Crop, decode};
pub use gallery::{Gallery, GalleryBuilder};
pub use quality::advice;

use serde::Deserialize;

/// How photos are read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VisionConfig {
    /// The classifier, a name of models/manifest.toml.
    pub model: String,
    /// The enrolled views that decide known or unknown, a name of models/manifest.toml.
    pub gallery: String,
    /// Threads of the network. One photo takes about 10 ms on one.
    pub threads: usize,
    /// A larger file is refused, in bytes.
    pub file_bytes_max: u64,
    /// A photo with more pixels is refused, in millions; 12 are a phone's, decoding takes about 10 ms for each.
    pub megapixels_max: u32,
}

impl Default for VisionConfig {
    fn default() -> Self {
        Self {
            model: "grocery-classifier-first".to_owned(),
            gallery: "grocery-gallery".to_owned(),
            threads: 1,
            file_bytes_max: 16 << 20,
            megapixels_max: 50,
        }
    }
}

impl VisionConfig {
    /// All that is wrong with the values.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(1..=64).contains(&self.threads) {
            problems.push(format!("vision.threads is {}; expected 1 to 64", self.threads));
        }
        if !(1 << 10..=256 << 20).contains(&self.file_bytes_max) {
            problems.push(format!("vision.file_bytes_max is {}; expected 1024 to 268435456", self.file_bytes_max));
        }
        if !(1..=200).contains(&self.megapixels_max) {
            problems.push(format!("vision.megapixels_max is {}; expected 1 to 200", self.megapixels_max));
        }
        problems
    }
}

/// What can go wrong between a file and a sighting. An unknown product is no error.
#[derive(Debug, thiserror::Error)]
pub enum VisionError {
    /// Nothing in it.
    #[error("the photo is empty (0 bytes); send a JPEG, PNG or WebP file")]
    Empty,
    /// Too many bytes.
    #[error("the photo has {found} bytes, at most {allowed} are read; send a smaller one (vision.file_bytes_max sets the limit)")]
    TooManyBytes {
        /// Its length.
        found: u64,
        /// The limit.
        allowed: u64,
    },
    /// Too many pixels.
    #[error(
        "the photo has {width}x{height} pixels, at most {megapixels_max} million are read; send a smaller one (vision.megapixels_max sets the limit)"
    )]
    TooManyPixels {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// The limit.
        megapixels_max: u32,
    },
    /// Too few to see anything.
    #[error("the photo has {width}x{height} pixels; at least 32x32 are needed to see anything")]
    TooFewPixels {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
    /// Not a picture, or not one of ours.
    #[error("the file is no JPEG, PNG or WebP picture ({0}); send one of these")]
    NotAPicture(String),
    /// The upload was cut.
    #[error("the photo ends in the middle; it was cut short on its way, send it again")]
    Truncated,
    /// The network's file contradicts its contract.
    #[error("{path} is not the classifier that is expected: {reason}; run `make setup` or correct vision.model")]
    Contract {
        /// The file.
        path: std::path::PathBuf,
        /// What was found.
        reason: String,
    },
    /// ONNX Runtime said no.
    #[error(transparent)]
    Onnx(#[from] crate::onnx::OnnxError),
    /// The network failed.
    #[error("the photo classifier failed: {0}")]
    Network(#[from] ort::Error),
}
