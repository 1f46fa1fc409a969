//! Trees as tensors: a number for each node of all trees, one after the other, and the nodes of each tree.

use safetensors::tensor::Dtype;

use super::bins::Feature;
use super::error::TabularError;
use super::stored::{TensorFile, Tensors};
use super::tree::{LEAF, Node, Tree};
use super::trees::Trees;

/// Adds the tensors of a part.
pub(super) fn pack(trees: &Trees, part: usize, tensors: &mut Tensors) {
    let nodes = || trees.trees.iter().flat_map(|tree| &tree.nodes);
    let name = |what: &str| format!("parts.{part}.trees.{what}");
    tensors.bytes(name("sizes"), Dtype::U32, trees.trees.iter().flat_map(|tree| (tree.nodes.len() as u32).to_le_bytes()).collect());
    tensors.bytes(name("features"), Dtype::U16, nodes().flat_map(|node| node.feature.to_le_bytes()).collect());
    tensors.bytes(name("left"), Dtype::U32, nodes().flat_map(|node| node.left.to_le_bytes()).collect());
    tensors.floats(name("values"), &nodes().map(|node| node.value).collect::<Vec<_>>());
    // A cut fits a byte; sets of words need 64 bits.
    match nodes().all(|node| node.code <= 255) {
        true => tensors.bytes(name("cuts"), Dtype::U8, nodes().map(|node| node.code as u8).collect()),
        false => tensors.bytes(name("sets"), Dtype::U64, nodes().flat_map(|node| node.code.to_le_bytes()).collect()),
    }
}

/// Reads the trees of a part, and refuses such as would walk in a circle or ask what is not there.
pub(super) fn unpack(file: &TensorFile<'_>, part: usize, base: f32, features: &[Feature]) -> Result<Trees, TabularError> {
    let name = |what: &str| format!("parts.{part}.trees.{what}");
    let words = |bytes: &[u8]| bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect::<Vec<_>>();
    let sizes = words(file.bytes(&name("sizes"), Dtype::U32)?);
    let asked: Vec<u16> = file.bytes(&name("features"), Dtype::U16)?.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
    let left = words(file.bytes(&name("left"), Dtype::U32)?);
    let values = file.floats(&name("values"))?;
    let codes: Vec<u64> = match file.bytes(&name("cuts"), Dtype::U8) {
        Ok(cuts) => cuts.iter().map(|cut| u64::from(*cut)).collect(),
        Err(_) => {
            let eight = |b: &[u8]| u64::from_le_bytes(std::array::from_fn(|at| b[at]));
            file.bytes(&name("sets"), Dtype::U64)?.chunks_exact(8).map(eight).collect()
        }
    };
    let all: u64 = sizes.iter().map(|size| u64::from(*size)).sum();
    for (what, length) in [("features", asked.len()), ("left", left.len()), ("values", values.len()), ("cuts", codes.len())] {
        if length as u64 != all {
            return Err(file.bad(&name(what), format!("has {length} numbers, but the trees have {all} nodes")));
        }
    }
    let mut nodes = (0..all as usize).map(|at| Node { feature: asked[at], code: codes[at], left: left[at], value: values[at] });
    let trees: Vec<Tree> = sizes.iter().map(|size| Tree { nodes: nodes.by_ref().take(*size as usize).collect() }).collect();
    if !trees.iter().all(|tree| is_sound(tree, features.len())) {
        return Err(file.bad(&name("left"), "leads out of its tree".to_owned()));
    }
    let is_on_columns = !features.iter().any(|feature| matches!(feature, Feature::Word { .. } | Feature::Derived { .. }));
    Ok(Trees { trees, base, factor: 1.0, is_on_columns })
}

/// Children come after their parents, so that every walk ends.
fn is_sound(tree: &Tree, features: usize) -> bool {
    let count = tree.nodes.len();
    tree.nodes.iter().enumerate().all(|(at, node)| {
        let left = node.left as usize;
        node.feature == LEAF || (usize::from(node.feature) < features && left > at && left.saturating_add(1) < count)
    })
}
