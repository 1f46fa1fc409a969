//! What pushed a prediction: the logit of a row, shared out among its columns.

use super::bins::{Binned, Feature};
use super::columns::Frame;
use super::dense::Dense;
use super::inputs::InputEncoding;
use super::model::{Learners, Part, TabularModel};
use super::trees::Trees;

/// Points on the way from the middle of every input to the row. A network of ReLUs is straight between its bends, so the error comes from
/// the pieces that hold a bend alone: with 256 points the effects add up within 0.01 logits (test at the foot of this file).
const STEPS: usize = 256;

/// Why a row has its probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribution {
    /// The logit of the row.
    pub logit: f32,
    /// The logit of nobody in particular: every number in its middle, no word, no question asked of a tree.
    pub baseline: f32,
    /// What each column of the schema adds to the baseline, in logits; together they are `logit - baseline`.
    pub effects: Vec<f32>,
}

impl TabularModel {
    /// Shares the logit of a row out among the columns.
    ///
    /// Networks by integrated gradients along the straight way from the middle of all inputs. Trees by the change of the value at each
    /// question, which the asked column gets. What several columns made together is divided evenly among them.
    /// # Source
    /// Sundararajan, Taly & Yan, "Axiomatic Attribution for Deep Networks" (2017); trees: Saabas, "Interpreting random forests" (2014).
    pub fn attribute(&self, frame: &Frame, row: usize) -> Attribution {
        let mut found =
            Attribution { logit: self.logits(&frame.row(row))[0], baseline: self.shift, effects: vec![0.0; self.schema.columns.len()] };
        for part in &self.parts {
            let (baseline, effects) = self.part_effects(part, &frame.row(row));
            found.baseline += part.weight * baseline;
            for (sum, effect) in found.effects.iter_mut().zip(effects) {
                *sum += part.weight * effect;
            }
        }
        found
    }

    fn part_effects(&self, part: &Part, row: &Frame) -> (f32, Vec<f32>) {
        let columns = self.schema.columns.len();
        match &part.learners {
            Learners::Networks(networks) => {
                let (baseline, by_input) = network_effects(networks, &self.inputs.apply(row));
                (baseline, columns_of(&self.inputs, columns, &by_input))
            }
            Learners::Trees { features, trees } => tree_effects(features, trees, row, columns),
        }
    }
}

/// The mean logit at 0, and what each input adds to it.
fn network_effects(networks: &[Dense], inputs: &[f32]) -> (f32, Vec<f32>) {
    let middle = vec![0.0; inputs.len()];
    let way: Vec<f32> = (0..STEPS).flat_map(|step| inputs.iter().map(move |x| x * (step as f32 + 0.5) / STEPS as f32)).collect();
    let share = 1.0 / networks.len().max(1) as f32;
    let (mut baseline, mut effects) = (0.0, vec![0.0; inputs.len()]);
    for network in networks {
        baseline += share * network.logits(&middle)[0];
        for slopes in network.input_slopes(&way).chunks_exact(inputs.len()) {
            for ((effect, slope), x) in effects.iter_mut().zip(slopes).zip(inputs) {
                *effect += share * slope * x / STEPS as f32;
            }
        }
    }
    (baseline, effects)
}

/// What inputs add, by the column that they come from.
fn columns_of(encoding: &InputEncoding, columns: usize, by_input: &[f32]) -> Vec<f32> {
    let mut effects = vec![0.0; columns];
    let numbers: usize = encoding.numbers.iter().flatten().map(|number| number.width()).sum();
    for (at, (owner, effect)) in encoding.owners().into_iter().zip(by_input).enumerate() {
        match owner.checked_sub(columns) {
            // Words come after all numbers, and their owners are columns.
            Some(derived) if at < numbers => share_out(&encoding.derived[derived].parts(), *effect, &mut effects),
            _ => effects[owner] += effect,
        }
    }
    effects
}

fn tree_effects(features: &[Feature], trees: &Trees, row: &Frame, columns: usize) -> (f32, Vec<f32>) {
    let data = Binned::new(features, row);
    let asked: Vec<Vec<usize>> = features.iter().map(Feature::columns).collect();
    let (mut baseline, mut effects) = (trees.base, vec![0.0; columns]);
    for tree in &trees.trees {
        let path: Vec<usize> = tree.path(&data, 0).collect();
        baseline += trees.factor * path.first().map_or(0.0, |root| tree.nodes[*root].value);
        for pair in path.windows(2) {
            let change = tree.nodes[pair[1]].value - tree.nodes[pair[0]].value;
            share_out(&asked[usize::from(tree.nodes[pair[0]].feature)], trees.factor * change, &mut effects);
        }
    }
    (baseline, effects)
}

fn share_out(columns: &[usize], effect: f32, effects: &mut [f32]) {
    for column in columns {
        effects[*column] += effect / columns.len() as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::super::learn::learn;
    use super::super::learn::tests::{about, labelled, quick};
    use super::super::recipe::Preset;

    #[test]
    fn the_effects_of_all_columns_add_up_to_the_logit_of_the_row() {
        let data = labelled(300);
        for preset in [Preset::Network, Preset::Blend] {
            let model = learn(&data, &quick(preset, 2), about(), &|_, _| ()).unwrap().model;
            for row in 0..40 {
                let found = model.attribute(&data.frame, row);
                let sum = found.baseline + found.effects.iter().sum::<f32>();
                assert!((sum - found.logit).abs() < 0.01, "{preset:?} row {row}: {sum} is not {}", found.logit);
            }
        }
    }

    #[test]
    fn what_sells_pushes_more_than_noise() {
        let data = labelled(300);
        let model = learn(&data, &quick(Preset::Blend, 2), about(), &|_, _| ()).unwrap().model;
        let strength = |column: usize| (0..100).map(|row| model.attribute(&data.frame, row).effects[column].abs()).sum::<f32>();
        assert!(strength(2) > 10.0, "the kind of visitor decides");
    }
}
