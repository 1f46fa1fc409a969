use std::collections::HashSet;

use super::subject::{self, About, Subject};
use super::{Dialogue, DialogueInput};
use crate::domain::{DialogueState, Entity, EntityKind, Product, ProductId};

impl Dialogue {
    /// What is to be compared: what was named, else what was shown, with what was talked about.
    pub(super) fn sides(&self, about: &About, input: &DialogueInput<'_>, state: &DialogueState) -> Vec<ProductId> {
        let mut sides: Vec<ProductId> = Vec::new();
        if let Some((product, how)) = &about.product {
            // Two on the shelf were told, and neither was named now: both are meant.
            if *how == Subject::Remembered && state.shown.len() > 1 {
                sides.extend(state.shown.iter().take(2).cloned());
            }
            sides.push(product.clone());
        }
        sides.extend(about.others.iter().cloned());
        sides.extend(self.named_sides(input, &about.options));
        if sides.len() == 1 {
            sides.extend(state.product.iter().chain(&state.shown).find(|id| **id != sides[0]).cloned());
        }
        let mut seen = HashSet::new();
        sides.retain(|id| seen.insert(id.clone()));
        sides
    }

    /// Sides that were named by a category or a brand only, in order of speech: the cheapest of each.
    fn named_sides(&self, input: &DialogueInput<'_>, options: &[ProductId]) -> Vec<ProductId> {
        let entities = || input.understanding.into_iter().flat_map(|u| &u.entities);
        let categories: Vec<&str> = entities().filter(|e| e.kind == EntityKind::Category).map(|e| e.value.as_str()).collect();
        let of = |entity: &Entity| -> Vec<&Product> {
            match entity.kind {
                EntityKind::Category => subject::called(entity, &self.catalog),
                EntityKind::Brand => {
                    let fits = |p: &&Product| {
                        let of_category = categories.is_empty() || categories.contains(&p.category.as_str());
                        p.brand.as_ref() == Some(&entity.value) && of_category
                    };
                    self.catalog.products().iter().filter(fits).collect()
                }
                _ => Vec::new(),
            }
        };
        // A category beside two brands only says what kind of thing is compared.
        let brands = entities().filter(|e| e.kind == EntityKind::Brand).count();
        let counts = |e: &&Entity| e.kind != EntityKind::Category || brands < 2;
        let cheapest = |e: &Entity| of(e).into_iter().min_by_key(|p| (!p.in_stock, p.price.is_none(), p.price)).map(|p| p.id.clone());
        let sides: Vec<ProductId> = entities().filter(counts).filter_map(cheapest).collect();
        // Two of one name: "the two oat drinks".
        if sides.len() == 1 && options.len() == 2 { options.to_vec() } else { sides }
    }
}
