use std::path::Path;

use super::VisionError;
use crate::domain::ProductId;

/// One line of a classifier's `classes.csv`: `class_id,class,coarse_id,coarse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoClass {
    /// The class, as the data set calls it.
    pub name: String,
    /// The kind of product it belongs to.
    pub coarse_id: usize,
    /// That kind's name.
    pub coarse: String,
}

/// What the shop calls a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassLabel {
    /// The product, where the shop sells it.
    pub product: Option<ProductId>,
    /// What people call it.
    pub label: String,
}

/// Reads `classes.csv` beside a classifier. Lines stand in the order of the outputs.
pub fn read_classes(path: &Path) -> Result<Vec<PhotoClass>, VisionError> {
    let bad = |reason: String| VisionError::Contract { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|e| bad(e.to_string()))?;
    text.lines()
        .skip(1)
        .enumerate()
        .map(|(at, line)| {
            parse(at, line).ok_or_else(|| bad(format!("line {} is {line:?}; expected class_id,class,coarse_id,coarse", at + 2)))
        })
        .collect()
}

fn parse(at: usize, line: &str) -> Option<PhotoClass> {
    let mut fields = line.split(',');
    let (id, name, coarse_id, coarse) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let in_order = id.parse() == Ok(at) && !name.is_empty();
    in_order.then_some(())?;
    Some(PhotoClass { name: name.to_owned(), coarse_id: coarse_id.parse().ok()?, coarse: coarse.to_owned() })
}
