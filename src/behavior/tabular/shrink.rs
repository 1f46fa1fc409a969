//! Smaller models: one network that learns from a large model, networks with fewer units, weights of eight bits.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::blend::best_threshold;
use super::columns::Frame;
use super::dense::{Dense, Layer};
use super::error::TabularError;
use super::figures::Figures;
use super::fit::{FitConfig, Rows, fit, fit_from};
use super::folds::{deal, without};
use super::labelled::Labelled;
use super::learn::Learnt;
use super::model::TabularModel;

/// Made-up rows for each real one that a pupil hears the teacher on: the teacher knows the real ones by heart.
const MADE_UP: usize = 6;
/// Share of the columns of a made-up row that come from another one.
const SWAPPED: f64 = 0.25;

/// Trains one network to answer as `teacher` does, on the rows and on made-up ones: copies in which some columns come from other rows.
/// A fifth of the rows is held out and judges.
/// # Source
/// Bucilă, Caruana & Niculescu-Mizil, "Model Compression" (2006); Hinton et al., "Distilling the Knowledge in a Neural Network" (2015).
pub fn distill(teacher: &TabularModel, data: &Labelled, config: &FitConfig, seed: u64) -> Result<Learnt, TabularError> {
    config.check()?;
    let part_of = deal(&data.labels, 5, seed);
    let (learn, held_out) = without(&part_of, 0);
    let mut chance = StdRng::seed_from_u64(seed);
    let frame = with_made_up(&data.frame, &learn, &mut chance);
    let inputs = teacher.inputs.apply(&frame);
    let targets = teacher.probabilities(&frame);
    let rows = Rows { inputs: &inputs, width: teacher.inputs.width(), labels: &targets };
    // The first rows are the real ones; those held out do not teach.
    let taught: Vec<u32> = learn.iter().copied().chain(data.frame.rows as u32..frame.rows as u32).collect();
    let mut epochs = Vec::new();
    let network = fit(&rows, &taught, &held_out, config, seed, &mut |epoch, _| epochs.push(*epoch))?;
    let mut pupil = teacher.with_network(network);
    pupil.parts[0].weight = 1.0;
    pupil.shift = 0.0;
    pupil.about.preset = "distilled".to_owned();
    let held_out = settle(&mut pupil, data, &held_out);
    Ok(Learnt { model: pupil, held_out, epochs, member_pr_aucs: Vec::new() })
}

fn with_made_up(frame: &Frame, learn: &[u32], chance: &mut StdRng) -> Frame {
    let columns = frame.numbers.len();
    let mut grown = frame.clone();
    for _ in 0..MADE_UP * learn.len() {
        let [base, other] = std::array::from_fn(|_| learn[chance.random_range(0..learn.len())] as usize);
        for column in 0..columns {
            let from = if chance.random_bool(SWAPPED) { other } else { base };
            // A column's number and word go together.
            let (number, code) = (frame.numbers[column].get(from).copied(), frame.codes[column].get(from).copied());
            grown.numbers[column].extend(number);
            grown.codes[column].extend(code);
        }
        grown.rows += 1;
    }
    grown
}

/// Takes away the share of hidden units that matter least, and trains what is left for a while on the rows.
///
/// A unit matters as much as what goes in times what goes out: the lengths of its weights on both sides. What is left is a smaller network,
/// not one with holes, so that it is faster as well.
/// # Source
/// Li et al., "Pruning Filters for Efficient ConvNets" (2017), for whole units.
pub fn prune(model: &TabularModel, data: &Labelled, share: f64, config: &FitConfig, seed: u64) -> Result<Learnt, TabularError> {
    if !(0.0..1.0).contains(&share) {
        return Err(TabularError::BadSetting { key: "share", found: share.to_string(), expected: "a number from 0 to below 1" });
    }
    let pruned = without_units(model.network()?, share);
    let part_of = deal(&data.labels, 5, seed);
    let (learn, held_out) = without(&part_of, 0);
    let inputs = model.inputs.apply(&data.frame);
    let targets: Vec<f32> = data.labels.iter().map(|label| f32::from(u8::from(*label))).collect();
    let rows = Rows { inputs: &inputs, width: model.inputs.width(), labels: &targets };
    let config = FitConfig { hidden: pruned.sizes()[1..pruned.sizes().len() - 1].to_vec(), ..config.clone() };
    let mut epochs = Vec::new();
    let network = fit_from(pruned, &rows, &learn, &held_out, &config, seed, &mut |epoch, _| epochs.push(*epoch))?;
    let mut pruned = model.with_network(network);
    pruned.parts[0].weight = 1.0;
    pruned.shift = 0.0;
    pruned.about.preset = "pruned".to_owned();
    let held_out = settle(&mut pruned, data, &held_out);
    Ok(Learnt { model: pruned, held_out, epochs, member_pr_aucs: Vec::new() })
}

fn without_units(network: &Dense, share: f64) -> Dense {
    let layers = network.layers();
    let weights = network.weights();
    let at = |layer: &Layer, input: usize, output: usize| weights[layer.start + input * layer.outputs + output];
    let mut kept: Vec<Vec<usize>> = vec![(0..network.sizes()[0]).collect()];
    for pair in layers.windows(2) {
        let matters = |unit: usize| {
            let before: f32 = (0..pair[0].inputs).map(|input| at(&pair[0], input, unit).powi(2)).sum();
            let after: f32 = (0..pair[1].outputs).map(|output| at(&pair[1], unit, output).powi(2)).sum();
            before * after
        };
        let mut units: Vec<usize> = (0..pair[0].outputs).collect();
        units.sort_by(|a, b| matters(*b).total_cmp(&matters(*a)));
        units.truncate(((1.0 - share) * units.len() as f64).ceil().max(1.0) as usize);
        units.sort_unstable();
        kept.push(units);
    }
    kept.push(vec![0]);
    let mut left = Vec::new();
    for (layer, pair) in layers.iter().zip(kept.windows(2)) {
        for input in &pair[0] {
            left.extend(pair[1].iter().map(|output| at(layer, *input, *output)));
        }
        left.extend(pair[1].iter().map(|output| weights[layer.bias()][*output]));
    }
    let sizes: Vec<usize> = kept.iter().map(Vec::len).collect();
    // The sizes are those of what was kept, so that the weights fit.
    Dense::from_weights(sizes, left).unwrap_or_else(|| network.clone())
}

/// Rounds each weight of the networks to one of 255 steps; each unit has a step of its own. In the file a weight then takes a byte.
pub fn quantize(model: &TabularModel) -> Result<TabularModel, TabularError> {
    let mut network = model.network()?.clone();
    for layer in network.layers() {
        let steps = steps_of(&network, &layer);
        for (at, weight) in network.weights_mut()[layer.matrix()].iter_mut().enumerate() {
            let step = steps[at % layer.outputs];
            *weight = if step > 0.0 { (*weight / step).round() * step } else { 0.0 };
        }
    }
    let mut rounded = model.with_network(network);
    rounded.is_eight_bit = true;
    Ok(rounded)
}

/// The step of each unit of a layer: its largest weight is 127 of them.
pub(super) fn steps_of(network: &Dense, layer: &Layer) -> Vec<f32> {
    let mut largest = vec![0.0_f32; layer.outputs];
    for row in network.weights()[layer.matrix()].chunks_exact(layer.outputs) {
        for (largest, weight) in largest.iter_mut().zip(row) {
            *largest = largest.max(weight.abs());
        }
    }
    largest.into_iter().map(|largest| largest / 127.0).collect()
}

/// Chooses the threshold on held-out rows, and measures there.
fn settle(model: &mut TabularModel, data: &Labelled, held_out: &[u32]) -> Figures {
    let all = model.probabilities(&data.frame);
    let probabilities: Vec<f32> = held_out.iter().map(|row| all[*row as usize]).collect();
    let labels: Vec<bool> = held_out.iter().map(|row| data.labels[*row as usize]).collect();
    model.threshold = best_threshold(&probabilities, &labels);
    Figures::of(&probabilities, &labels, model.threshold)
}

#[cfg(test)]
mod tests {
    use super::super::learn::learn;
    use super::super::learn::tests::{about, labelled, quick};
    use super::super::recipe::Preset;
    use super::*;

    fn quick_fit() -> FitConfig {
        FitConfig { hidden: vec![16], epochs_max: 12, batch: 32, ..FitConfig::careful() }
    }

    #[test]
    fn a_pupil_is_one_network_nearly_as_good_as_its_teacher() {
        let data = labelled(600);
        let teacher = learn(&data, &quick(Preset::Blend, 2), about(), &|_, _| ()).unwrap();
        let pupil = distill(&teacher.model, &data, &quick_fit(), 1).unwrap();
        assert!(pupil.model.network().is_ok() && pupil.model.size() < teacher.model.size() / 10);
        let (found, of_teacher) = (pupil.held_out.pr_auc.unwrap(), teacher.held_out.pr_auc.unwrap());
        assert!(found > of_teacher - 0.1, "{found} against {of_teacher}");
    }

    #[test]
    fn a_pruned_network_has_fewer_units_and_a_blend_is_refused() {
        let data = labelled(300);
        let whole = learn(&data, &quick(Preset::Network, 1), about(), &|_, _| ()).unwrap();
        let pruned = prune(&whole.model, &data, 0.5, &quick_fit(), 1).unwrap();
        assert_eq!(pruned.model.network().unwrap().sizes()[1], 8);
        assert!(pruned.held_out.pr_auc.unwrap() > whole.held_out.pr_auc.unwrap() - 0.15);
        let blend = learn(&data, &quick(Preset::Blend, 2), about(), &|_, _| ()).unwrap();
        let said = prune(&blend.model, &data, 0.5, &quick_fit(), 1).unwrap_err().to_string();
        assert!(said.contains("this needs a single network"), "{said}");
    }

    #[test]
    fn nothing_taken_away_leaves_the_network_as_it_is() {
        let network = Dense::new(vec![5, 4, 3, 1], super::super::dense::Start::He, 1);
        assert_eq!(without_units(&network, 0.0), network);
        assert_eq!(without_units(&network, 0.5).sizes(), [5, 2, 2, 1]);
    }

    #[test]
    fn eight_bits_keep_every_probability_within_a_few_hundredths_and_quarter_the_weights() {
        let data = labelled(300);
        let whole = learn(&data, &quick(Preset::Network, 1), about(), &|_, _| ()).unwrap().model;
        let rounded = quantize(&whole).unwrap();
        let pairs = whole.probabilities(&data.frame).into_iter().zip(rounded.probabilities(&data.frame));
        assert!(pairs.into_iter().all(|(p, q)| (p - q).abs() < 0.05));
        let bytes = rounded.to_bytes().unwrap();
        let read = TabularModel::from_bytes("it", &bytes).unwrap();
        let pairs = rounded.probabilities(&data.frame).into_iter().zip(read.probabilities(&data.frame));
        assert!(pairs.into_iter().all(|(p, q)| (p - q).abs() < 1e-5));
    }
}
