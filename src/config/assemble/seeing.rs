use std::collections::HashMap;

use super::super::Config;
use super::AssembleError;
use crate::domain::{Catalog, ProductId};
use crate::onnx::OnnxRuntime;
use crate::vision::{ClassLabel, Classifier, EMBEDDING, Gallery, PhotoClass, read_classes};
use crate::weights::Manifest;

/// Photo classifier and gallery.
pub fn open_seeing(
    config: &Config,
    manifest: &Manifest,
    runtime: &OnnxRuntime,
    catalog: &Catalog,
) -> Result<(Classifier, Gallery), AssembleError> {
    let file = manifest.verify(&config.vision.model)?;
    let labels = photo_labels(&classes(config, manifest)?, catalog);
    let classifier = Classifier::load(runtime, &file, config.vision.threads, labels)?;
    Ok((classifier, Gallery::load(&manifest.verify(&config.vision.gallery)?)?))
}

/// The classes that the classifier knows.
pub(super) fn classes(config: &Config, manifest: &Manifest) -> Result<Vec<PhotoClass>, AssembleError> {
    let model = manifest.path(manifest.entry(&config.vision.model)?);
    Ok(read_classes(&model.with_file_name("classes.csv"))?)
}

/// What the shop calls each class; a class that it does not sell keeps the data set's name.
pub fn photo_labels(classes: &[PhotoClass], catalog: &Catalog) -> Vec<ClassLabel> {
    let label = |class: &PhotoClass| match catalog.of_photo_class(&class.name) {
        Some(product) => ClassLabel { product: Some(product.id.clone()), label: product.name.clone() },
        None => ClassLabel { product: None, label: class.name.replace('-', " ") },
    };
    classes.iter().map(label).collect()
}

/// Mean view of each product that the gallery has enrolled.
pub(super) fn product_photos(gallery: &Gallery, catalog: &Catalog, classes: &[PhotoClass]) -> HashMap<ProductId, Vec<f32>> {
    let mut means: HashMap<ProductId, Vec<f32>> = HashMap::new();
    for (at, view) in gallery.views().enumerate() {
        let product = classes.get(Gallery::class_of_view(at)).and_then(|class| catalog.of_photo_class(&class.name));
        if let Some(product) = product {
            let mean = means.entry(product.id.clone()).or_insert_with(|| vec![0.0; EMBEDDING]);
            mean.iter_mut().zip(view).for_each(|(sum, x)| *sum += x);
        }
    }
    means
}
