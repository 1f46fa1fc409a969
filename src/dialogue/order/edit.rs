use std::collections::BTreeMap;

use super::{OrderAct, PartWish, Refusal, Wish};
use crate::domain::{Basket, BasketLine, Catalog, Menu, PartChoice, Waiting};

/// What became of the basket.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The basket as it is now.
    pub basket: Basket,
    /// What happened, for the words.
    pub kind: EditKind,
    /// Lines that were touched, by their place.
    pub touched: Vec<usize>,
    /// What cannot be had of the thing: "large" of a croissant.
    pub left_out: Vec<String>,
    /// What the desk waits for now.
    pub waiting: Waiting,
}

/// What happened; each has its words in the shop's file of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditKind {
    /// Something came in.
    Added,
    /// Something is wanted otherwise.
    Changed,
    /// Something was taken out.
    Removed,
    /// The last thing was taken out.
    Emptied,
    /// It is not in the basket.
    NotOrdered,
    /// The basket is full, or the number too large.
    TooMuch,
    /// What is it to be?
    AskItem,
    /// It cannot be ordered here.
    NotOnMenu,
    /// It is right.
    Confirmed,
    /// It is not right.
    Denied,
    /// It is read back.
    Review,
    /// What it costs.
    Total,
    /// It was dropped.
    Cancelled,
    /// There is no order.
    Nothing,
}

impl EditKind {
    /// All of them, each with the name of its words.
    pub(crate) const ALL: [(EditKind, &'static str); 14] = [
        (EditKind::Added, "added"),
        (EditKind::Changed, "changed"),
        (EditKind::Removed, "removed"),
        (EditKind::Emptied, "emptied"),
        (EditKind::NotOrdered, "not_ordered"),
        (EditKind::TooMuch, "too_much"),
        (EditKind::AskItem, "ask_item"),
        (EditKind::NotOnMenu, "not_on_menu"),
        (EditKind::Confirmed, "confirmed"),
        (EditKind::Denied, "denied"),
        (EditKind::Review, "review"),
        (EditKind::Total, "total"),
        (EditKind::Cancelled, "cancelled"),
        (EditKind::Nothing, "nothing"),
    ];

    /// The name of its words.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("nothing", |(_, name)| name)
    }
}

impl Edit {
    /// Does to the basket what was decided. The basket that comes in is left as it is.
    pub fn of(act: &OrderAct, basket: &Basket, menu: &Menu, catalog: &Catalog) -> Self {
        let before =
            Self { basket: basket.clone(), kind: EditKind::Nothing, touched: Vec::new(), left_out: Vec::new(), waiting: Waiting::Nothing };
        let editor = Editor { menu, catalog };
        let is_empty = basket.lines.is_empty();
        let told = |kind, waiting| Self { kind, waiting, ..before.clone() };
        let again = if basket.is_confirmed { Waiting::Nothing } else { Waiting::Confirm };
        match act {
            OrderAct::Add(wishes) => editor.add(wishes, before),
            OrderAct::Change(wishes) => editor.change(wishes, before),
            OrderAct::Remove(wishes) => editor.remove(wishes, before),
            OrderAct::AskItem(wish) => Self { waiting: Waiting::Item { parts: chosen(&wish.parts) }, kind: EditKind::AskItem, ..before },
            OrderAct::NotOnMenu(_) => told(EditKind::NotOnMenu, again).unless(is_empty, Waiting::Nothing),
            _ if is_empty && *act != OrderAct::Cancel => before,
            OrderAct::Confirm => Self { basket: Basket { is_confirmed: true, ..basket.clone() }, kind: EditKind::Confirmed, ..before },
            OrderAct::Deny => told(EditKind::Denied, Waiting::Confirm),
            OrderAct::Review => told(EditKind::Review, again),
            OrderAct::Total => told(EditKind::Total, again),
            OrderAct::Cancel => Self { basket: Basket::default(), kind: EditKind::Cancelled, ..before },
        }
    }

    fn unless(self, is_so: bool, waiting: Waiting) -> Self {
        if is_so { Self { waiting, ..self } } else { self }
    }
}

struct Editor<'a> {
    menu: &'a Menu,
    catalog: &'a Catalog,
}

impl Editor<'_> {
    fn add(&self, wishes: &[Wish], mut edit: Edit) -> Edit {
        for wish in wishes.iter().filter(|wish| !wish.is_old) {
            let Some(product) = &wish.product else { continue };
            let mut line = BasketLine {
                product: product.clone(),
                quantity: 1,
                parts: BTreeMap::new(),
                each: self.menu.price(product, &BTreeMap::new(), self.catalog),
            };
            self.refine(&mut line, wish, &mut edit.left_out);
            let same = edit.basket.lines.iter().position(|l| l.product == line.product && l.parts == line.parts);
            let quantity = line.quantity.saturating_add(same.map_or(0, |at| edit.basket.lines[at].quantity));
            if quantity > self.menu.quantity_max || (same.is_none() && edit.basket.lines.len() >= self.menu.lines_max) {
                let waiting = if edit.basket.lines.is_empty() { Waiting::Nothing } else { Waiting::Confirm };
                return Edit { kind: EditKind::TooMuch, waiting, ..edit };
            }
            match same {
                Some(at) => edit.basket.lines[at].quantity = quantity,
                None => edit.basket.lines.push(line),
            }
            edit.touched.push(same.unwrap_or(edit.basket.lines.len() - 1));
        }
        self.done(edit, EditKind::Added)
    }

    fn change(&self, wishes: &[Wish], mut edit: Edit) -> Edit {
        let old = wishes.iter().find(|wish| wish.is_old).and_then(|wish| wish.product.as_ref());
        for wish in wishes.iter().filter(|wish| !wish.is_old) {
            let named = wish.product.as_ref().and_then(|product| edit.basket.lines.iter().rposition(|line| line.product == *product));
            let replaced = old.and_then(|old| edit.basket.lines.iter().rposition(|line| line.product == *old));
            let Some(at) = named.or(replaced).or(edit.basket.lines.len().checked_sub(1)) else {
                return Edit { kind: EditKind::Nothing, ..edit };
            };
            let mut line = edit.basket.lines[at].clone();
            if let Some(product) = &wish.product {
                line.product = product.clone();
                line.parts.retain(|name, _| self.menu.part(name).is_some_and(|part| self.menu.offers(part, product, self.catalog)));
            }
            self.refine(&mut line, wish, &mut edit.left_out);
            if line.quantity > self.menu.quantity_max {
                return Edit { kind: EditKind::TooMuch, waiting: Waiting::Confirm, ..edit };
            }
            edit.basket.lines[at] = line;
            edit.touched.push(at);
        }
        self.done(edit, EditKind::Changed)
    }

    fn remove(&self, wishes: &[Wish], mut edit: Edit) -> Edit {
        let count = edit.basket.lines.len();
        if wishes.is_empty() {
            edit.basket.lines.pop();
        }
        for wish in wishes {
            let fits = |line: &BasketLine| {
                Some(&line.product) == wish.product.as_ref()
                    && wish.parts.iter().all(|part| line.parts.get(&part.part).is_some_and(|chosen| chosen.value == part.choice.value))
            };
            if let Some(at) = edit.basket.lines.iter().rposition(fits) {
                match wish.quantity {
                    // "Take one of the lattes off".
                    Some(fewer) if fewer < edit.basket.lines[at].quantity => {
                        edit.basket.lines[at].quantity -= fewer;
                        edit.touched.push(at);
                    }
                    _ => drop(edit.basket.lines.remove(at)),
                }
            }
        }
        let kind = match edit.basket.lines.len() {
            0 => EditKind::Emptied,
            left if left == count && edit.touched.is_empty() => EditKind::NotOrdered,
            _ => EditKind::Removed,
        };
        self.done(edit, kind)
    }

    /// How a line is wanted. What the thing does not have is left out, and told.
    fn refine(&self, line: &mut BasketLine, wish: &Wish, left_out: &mut Vec<String>) {
        line.quantity = wish.quantity.unwrap_or(line.quantity);
        for PartWish { part: name, choice, refusal } in &wish.parts {
            let Some(part) = self.menu.part(name) else { continue };
            let is_ordered = line.parts.get(name).is_some_and(|chosen| chosen.value == choice.value);
            if *refusal == Refusal::Certain || (*refusal == Refusal::IfOrdered && is_ordered) {
                line.parts.remove(name);
            } else if self.menu.offers(part, &line.product, self.catalog) {
                line.parts.insert(name.clone(), choice.clone());
            } else {
                left_out.push(choice.value.clone());
            }
        }
        line.each = self.menu.price(&line.product, &line.parts, self.catalog);
    }

    fn done(&self, mut edit: Edit, kind: EditKind) -> Edit {
        edit.basket.is_confirmed = false;
        edit.waiting = if edit.basket.lines.is_empty() { Waiting::Nothing } else { Waiting::Confirm };
        Edit { kind, ..edit }
    }
}

fn chosen(parts: &[PartWish]) -> BTreeMap<String, PartChoice> {
    parts.iter().filter(|p| p.refusal == Refusal::None).map(|p| (p.part.clone(), p.choice.clone())).collect()
}
