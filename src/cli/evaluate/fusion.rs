use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::fusion_fit::{Choice, fit};
use super::hints::{Said, Sentence, sentence};
use super::{DRAWS, Labelled, SEED, read_list};
use crate::cli::{Failure, classify, open, progress};
use crate::config::{Config, ShopFiles};
use crate::domain::{Candidate, Catalog, Product, ProductId};
use crate::language::{EntityFinder, Hint, ProductWords};
use crate::measure::{Estimate, bootstrap};
use crate::turn::{FusionWeights, features, fused};
use crate::vision::{CROP_SIDE, Classifier, Crop, Gallery, PhotoClass, decode, read_classes};

/// How well products are named by photo, by words, and by both.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  kioskd evaluate fusion --dir photos --list photos/val.txt --fit photos/train.txt --json")]
pub(in crate::cli) struct Arguments {
    /// The paths in the lists are relative to this folder
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Photos to measure on: lines `path, class_id, coarse_id`
    #[arg(long, value_name = "FILE")]
    list: PathBuf,
    /// Photos to fit the weights on, in place of those that the desk uses
    #[arg(long, value_name = "FILE")]
    fit: Option<PathBuf>,
    /// Seed of the sentences and of what spoils the photos
    #[arg(long, value_name = "NUMBER", default_value_t = SEED)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What a photo is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Spoilt {
    /// As it was taken.
    Clean,
    /// Out of focus: Gaussian blur of 3 pixels.
    Blurred,
    /// Three tenths of the light.
    Dark,
    /// Two fifths of the size, on a plain ground: held too far away.
    Small,
}

const SPOILT: [Spoilt; 4] = [Spoilt::Clean, Spoilt::Blurred, Spoilt::Dark, Spoilt::Small];

impl Spoilt {
    fn name(self) -> &'static str {
        match self {
            Spoilt::Clean => "clean",
            Spoilt::Blurred => "blurred",
            Spoilt::Dark => "dark",
            Spoilt::Small => "small",
        }
    }

    fn apply(self, crop: Crop, chance: &mut StdRng) -> Crop {
        match self {
            Spoilt::Clean => crop,
            Spoilt::Blurred => crop.blurred(3.0),
            Spoilt::Dark => Crop { rgb: crop.rgb.iter().map(|value| (f32::from(*value) * 0.3) as u8).collect() },
            Spoilt::Small => on_ground(&crop, 0.4, [chance.random(), chance.random(), chance.random()]),
        }
    }
}

/// The picture at this share of its side in the middle of one colour; each new pixel is the nearest of the old ones after a blur.
fn on_ground(crop: &Crop, share: f32, colour: [u8; 3]) -> Crop {
    let side = CROP_SIDE as usize;
    let inner = (side as f32 * share) as usize;
    let edge = (side - inner) / 2;
    let source = crop.clone().blurred(0.4 / share);
    let mut rgb = colour.repeat(side * side);
    for row in 0..inner {
        for column in 0..inner {
            let (from_row, from_column) = ((row as f32 / share) as usize, (column as f32 / share) as usize);
            let (to, from) = (3 * ((row + edge) * side + column + edge), 3 * (from_row * side + from_column));
            rgb[to..to + 3].copy_from_slice(&source.rgb[from..from + 3]);
        }
    }
    Crop { rgb }
}

/// One photo with one sentence over it.
struct Trial {
    /// Its place in the list.
    photo: usize,
    product: ProductId,
    spoilt: Spoilt,
    sentence: Sentence,
    candidates: Vec<Candidate>,
    hints: Vec<Hint>,
}

/// What one trial came to: shares of 1 that the right product got as the first.
struct Outcome {
    place: usize,
    spoilt: Spoilt,
    said: Said,
    is_wrong: bool,
    photo: f64,
    words: f64,
    fused: f64,
}

/// All that trials are made with.
struct Maker<'a> {
    config: &'a Config,
    catalog: &'a Catalog,
    classes: &'a [PhotoClass],
    finder: EntityFinder,
    words: ProductWords,
    classifier: Classifier,
    gallery: Gallery,
    chance: StdRng,
}

pub(super) fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let (classifier, gallery) = classify::seeing(config)?;
    let files = ShopFiles::read(&config.paths.shop).map_err(|problems| Failure::Input(problems.join("\n")))?;
    let manifest = open::manifest(config)?;
    let model = manifest.path(manifest.entry(&config.vision.model).map_err(|e| Failure::Job(e.to_string()))?);
    let classes = read_classes(&model.with_file_name("classes.csv")).map_err(|e| Failure::Job(e.to_string()))?;
    let finder = EntityFinder::new(&files.catalog, &files.words);
    let words = ProductWords::new(&files.catalog);
    let chance = StdRng::seed_from_u64(arguments.seed);
    let mut maker = Maker { config, catalog: &files.catalog, classes: &classes, finder, words, classifier, gallery, chance };
    let weights = match &arguments.fit {
        Some(list) => fitted(&maker.trials(&arguments.dir, list)?),
        None => FusionWeights::default(),
    };
    let trials = maker.trials(&arguments.dir, &arguments.list)?;
    let showable: Vec<&Product> = files.catalog.products().iter().filter(|p| p.photo_class.is_some()).collect();
    let outcomes: Vec<Outcome> = trials.iter().map(|trial| outcome(trial, &weights, &showable)).collect();
    let report = report(&outcomes, &weights);
    if arguments.json {
        return open::print_json(&report);
    }
    let fields = report.as_object().into_iter().flatten();
    fields.map(|(name, value)| format!("{name:>16}  {value}")).try_for_each(|line| open::print_line(&line))
}

impl Maker<'_> {
    /// A trial for each photo whose product the shop sells, and each way of spoiling it.
    fn trials(&mut self, dir: &Path, list: &Path) -> Result<Vec<Trial>, Failure> {
        let labelled = read_list(dir, list, self.classes.len())?;
        let bar = progress::bar(labelled.len() as u64, "looking at photos");
        let mut trials = Vec::new();
        for (photo, Labelled { path, class_id, .. }) in labelled.iter().enumerate() {
            let catalog = self.catalog;
            let Some(product) = catalog.of_photo_class(&self.classes[*class_id].name) else { continue };
            let bytes = open::read(path)?;
            let crop = decode(&bytes, &self.config.vision).map_err(|e| Failure::Input(format!("{}: {e}", path.display())))?;
            for spoilt in SPOILT {
                let seen = spoilt.apply(crop.clone(), &mut self.chance);
                let sighting = self.classifier.sight(&seen, &self.gallery).map_err(|e| Failure::Job(e.to_string()))?;
                let sentence = sentence(product, catalog, self.classes, &mut self.chance);
                let hints = self.words.hints(&sentence.text, &self.finder.find(&sentence.text));
                trials.push(Trial { photo, product: product.id.clone(), spoilt, sentence, candidates: sighting.top, hints });
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        match trials.len() {
            0 => Err(Failure::Input(format!("{} lists no photo of a product of the catalog", list.display()))),
            _ => Ok(trials),
        }
    }
}

fn fitted(trials: &[Trial]) -> FusionWeights {
    let choice = |trial: &Trial| {
        let right = trial.candidates.iter().position(|c| c.product.as_ref() == Some(&trial.product))?;
        Some(Choice { rows: trial.candidates.iter().map(|c| features(c, &trial.hints)).collect(), right })
    };
    FusionWeights::from_row(fit(&trials.iter().filter_map(choice).collect::<Vec<_>>(), FusionWeights::default().row()))
}

fn outcome(trial: &Trial, weights: &FusionWeights, showable: &[&Product]) -> Outcome {
    let is_right = |candidates: &[Candidate]| f64::from(candidates.first().is_some_and(|c| c.product.as_ref() == Some(&trial.product)));
    let together = fused(&trial.candidates, &trial.hints, weights);
    Outcome {
        place: trial.photo,
        spoilt: trial.spoilt,
        said: trial.sentence.said,
        is_wrong: trial.sentence.is_wrong,
        photo: is_right(&trial.candidates),
        words: words_alone(trial, weights, showable),
        fused: is_right(&together),
    }
}

/// The chance that words alone name the product: they choose among all that can be shown, and evenly among those that fit as well.
fn words_alone(trial: &Trial, weights: &FusionWeights, showable: &[&Product]) -> f64 {
    let score = |id: &ProductId| -> f64 {
        let even = Candidate {
            product: Some(id.clone()),
            label: String::new(),
            class_id: 0,
            probability: crate::domain::Probability::clamped(1.0),
        };
        features(&even, &trial.hints).iter().zip(weights.row()).map(|(x, weight)| x * weight).sum()
    };
    let scores: Vec<f64> = showable.iter().map(|product| score(&product.id)).collect();
    let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let ties = scores.iter().filter(|score| best - **score < 1e-9).count();
    let is_among = best - score(&trial.product) < 1e-9;
    if is_among { 1.0 / ties.max(1) as f64 } else { 0.0 }
}

fn report(outcomes: &[Outcome], weights: &FusionWeights) -> Value {
    let all: Vec<&Outcome> = outcomes.iter().collect();
    let of = |keep: &dyn Fn(&&Outcome) -> bool| figures(&outcomes.iter().filter(keep).collect::<Vec<_>>());
    let by_spoilt: serde_json::Map<String, Value> =
        SPOILT.iter().map(|spoilt| (spoilt.name().to_owned(), of(&|o| o.spoilt == *spoilt))).collect();
    let by_hint: serde_json::Map<String, Value> =
        Said::ALL.iter().map(|said| (said.name().to_owned(), of(&|o| o.said == *said && !o.is_wrong))).collect();
    let [photo, name, brand, size, attribute] = weights.row();
    json!({
        "trials": outcomes.len(),
        "all": figures(&all),
        "photos": by_spoilt,
        "hints": by_hint,
        "wrong_hints": of(&|o| o.is_wrong),
        "weights": { "photo": photo, "name": name, "brand": brand, "size": size, "attribute": attribute },
    })
}

/// Shares named right, and how much both together gain. The draws are of photos, since a photo and its spoilt forms hang together, and
/// the same for all figures.
fn figures(outcomes: &[&Outcome]) -> Value {
    let mut by_photo: BTreeMap<usize, Vec<&Outcome>> = BTreeMap::new();
    outcomes.iter().for_each(|outcome| by_photo.entry(outcome.place).or_default().push(outcome));
    let photos: Vec<Vec<&Outcome>> = by_photo.into_values().collect();
    let estimate = |value: fn(&Outcome) -> f64| -> Option<Estimate> {
        let sums: Vec<(f64, f64)> = photos.iter().map(|trials| (trials.iter().map(|t| value(t)).sum(), trials.len() as f64)).collect();
        bootstrap(sums.len(), DRAWS, SEED, |rows| {
            let (right, all) = rows.iter().fold((0.0, 0.0), |(right, all), row| (right + sums[*row].0, all + sums[*row].1));
            (all > 0.0).then(|| right / all)
        })
    };
    json!({
        "trials": outcomes.len(),
        "photo": estimate(|o| o.photo),
        "words": estimate(|o| o.words),
        "fused": estimate(|o| o.fused),
        "gain_over_photo": estimate(|o| o.fused - o.photo),
        "gain_over_words": estimate(|o| o.fused - o.words),
    })
}
