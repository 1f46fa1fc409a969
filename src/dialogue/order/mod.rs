//! Orders: what was said of one, and what becomes of the basket.
//!
//! `scan` finds in a sentence, or in the slots of a grammar, the things of the menu and how they are wanted; here it is decided what is
//! done with them; `edit` does it to the basket; `tell` hands the result to the templates. Whether it was spoken by a grammar, spoken
//! freely or typed, the road is the same. All words and prices come from the menu and the catalog.

mod edit;
mod scan;
mod tell;

pub(super) use edit::{Edit, EditKind};
pub use scan::{PartWish, Refusal, Wish};
pub(super) use tell::facts;

use scan::{Said, Scanner};

use crate::domain::{Act, Catalog, DialogueState, Menu, ProductId, Reply, SpokenOrder, Waiting};

/// What is to become of the order.
#[derive(Debug, Clone, PartialEq)]
pub enum OrderAct {
    /// These are added.
    Add(Vec<Wish>),
    /// The last line, or the lines of the products named, are wanted otherwise.
    Change(Vec<Wish>),
    /// These are taken out; none named means the last line.
    Remove(Vec<Wish>),
    /// Something is to be ordered, and it was not said what. How it is wanted may be known.
    AskItem(Wish),
    /// It cannot be ordered here.
    NotOnMenu(ProductId),
    /// It is right as it stands.
    Confirm,
    /// It is not right, and it was not said why.
    Deny,
    /// It is read back.
    Review,
    /// What it costs is told.
    Total,
    /// It is dropped.
    Cancel,
}

/// What was understood beside the words of the order.
pub(super) struct OrderInput<'a> {
    pub text: &'a str,
    /// What a grammar made of it.
    pub spoken: Option<&'a SpokenOrder>,
    /// Whether the sentence is an order by its meaning.
    pub is_order: bool,
    /// Whether its meaning is unclear, or nothing for this desk.
    pub is_unclear: bool,
    /// What its intent does.
    pub act: Option<Act>,
    /// A product that was named or held up.
    pub product: Option<&'a ProductId>,
}

/// What can be ordered, and how it is said.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    menu: Menu,
    scanner: Scanner,
}

impl Orders {
    /// For one menu; an empty one takes no orders.
    pub fn new(menu: Menu, catalog: &Catalog) -> Self {
        Self { scanner: Scanner::new(&menu, catalog), menu }
    }

    /// What can be ordered.
    pub fn menu(&self) -> &Menu {
        &self.menu
    }

    /// What a few fixed words do to the order, where the desk waits for them.
    pub(super) fn reply(&self, reply: Reply, state: &DialogueState) -> Option<OrderAct> {
        let has_order = !state.basket.lines.is_empty();
        match (reply, &state.waiting) {
            (Reply::Yes | Reply::Done, Waiting::Confirm) => Some(OrderAct::Confirm),
            (Reply::Done, _) if has_order && !state.basket.is_confirmed => Some(OrderAct::Review),
            (Reply::No, Waiting::Confirm) => Some(OrderAct::Deny),
            (Reply::Cancel | Reply::No, Waiting::Item { .. }) => Some(OrderAct::Cancel),
            (Reply::Cancel, _) if has_order && (state.is_ordering || state.waiting == Waiting::Confirm) => Some(OrderAct::Cancel),
            _ => None,
        }
    }

    /// What a sentence does to the order; `None` where it is about something else.
    pub(super) fn act(&self, input: &OrderInput<'_>, state: &DialogueState, catalog: &Catalog) -> Option<OrderAct> {
        if self.menu.categories.is_empty() {
            return None;
        }
        let is_ordering = state.is_ordering || matches!(state.waiting, Waiting::Item { .. } | Waiting::Confirm);
        let read = self.scanner.read(input.text, &self.menu);
        let spoken = input.spoken.filter(|order| order.is_accepted() && order.intent == self.menu.grammar_intent);
        // What corrects or takes out is told by words that no grammar of orders holds.
        if let Some(order) = spoken.filter(|_| !read.removes && !read.changes) {
            let slots = self.scanner.read_slots(order, &self.menu);
            if !slots.items.is_empty() {
                return Some(self.with_items(Said { adds: read.adds, ..slots }, state));
            }
        }
        let has_basket = !state.basket.lines.is_empty();
        match input.act {
            Some(Act::OrderTotal) if has_basket || !input.is_unclear => return Some(OrderAct::Total),
            Some(Act::OrderReview) => return Some(OrderAct::Review),
            Some(Act::OrderCancel) => return Some(OrderAct::Cancel),
            Some(Act::OrderConfirm) if state.waiting == Waiting::Confirm => return Some(OrderAct::Confirm),
            Some(Act::OrderRemove) if has_basket => return Some(self.without_items(read, state, true)),
            _ => {}
        }
        let is_about_order = input.is_order || read.is_all || (input.is_unclear && is_ordering);
        if !read.items.is_empty() && is_about_order {
            return Some(self.with_items(read, state));
        }
        if !read.is_nothing() && is_ordering && (read.is_all || input.is_order) {
            return Some(self.without_items(read, state, false));
        }
        if read.is_all && is_ordering && has_basket && read.removes {
            return Some(OrderAct::Remove(Vec::new()));
        }
        if input.is_order {
            let elsewhere = input.product.filter(|product| !self.menu.has(product, catalog));
            return Some(elsewhere.map_or(OrderAct::AskItem(read.loose), |product| OrderAct::NotOnMenu(product.clone())));
        }
        None
    }

    fn with_items(&self, said: Said, state: &DialogueState) -> OrderAct {
        let in_basket = |wish: &Wish| state.basket.products().any(|product| wish.product.as_ref() == Some(product));
        if said.removes && said.items.iter().any(in_basket) {
            return removal(said.items);
        }
        let is_refused = |wish: &Wish| match wish.refusal {
            Refusal::None | Refusal::IfTakenOut => false,
            Refusal::Certain => true,
            Refusal::IfOrdered => in_basket(wish),
        };
        // "A latte, but no croissant": what is not wanted is not in the order, or is taken out of it.
        let (refused, mut items): (Vec<Wish>, Vec<Wish>) = said.items.into_iter().partition(is_refused);
        if items.is_empty() {
            return OrderAct::Remove(refused);
        }
        // "Change the latte to a mocha": what is there is the old thing.
        if said.changes && items.len() == 2 && in_basket(&items[0]) && !in_basket(&items[1]) {
            items[0].is_old = true;
        }
        let is_correction = (said.changes && !said.adds) || items.iter().any(|wish| wish.is_old);
        if is_correction && !state.basket.lines.is_empty() {
            return OrderAct::Change(items);
        }
        // "A large latte", after "a small latte, is that right?": the same thing, corrected.
        let same_again =
            items.len() == 1 && items.iter().all(in_basket) && items.iter().all(|w| w.quantity.is_none() && !w.parts.is_empty());
        if state.waiting == Waiting::Confirm && same_again && !said.adds {
            return OrderAct::Change(items);
        }
        if let (Waiting::Item { parts }, [only]) = (&state.waiting, &mut items[..]) {
            // What was said of the thing before it had a name.
            let known: Vec<String> = only.parts.iter().map(|p| p.part.clone()).collect();
            let earlier = parts.iter().filter(|(part, _)| !known.contains(part));
            let earlier = earlier.map(|(part, choice)| PartWish { part: part.clone(), choice: choice.clone(), refusal: Refusal::None });
            only.parts.extend(earlier.collect::<Vec<_>>());
        }
        OrderAct::Add(items)
    }

    fn without_items(&self, said: Said, state: &DialogueState, is_removal: bool) -> OrderAct {
        if said.loose == Wish::default() {
            return removal(said.items);
        }
        if state.basket.lines.is_empty() {
            return OrderAct::AskItem(said.loose);
        }
        if (is_removal || said.removes) && !said.items.is_empty() {
            return removal(said.items);
        }
        let mut loose = said.loose;
        if is_removal || said.removes {
            // "Take the sugar out".
            loose.parts.iter_mut().for_each(|part| part.refusal = Refusal::Certain);
        }
        OrderAct::Change(vec![loose])
    }
}

/// "No sugar in the latte" takes the sugar out of it; what is named with nothing refused of it is taken off.
fn removal(mut items: Vec<Wish>) -> OrderAct {
    let refused = |wish: &Wish| wish.parts.iter().any(|part| part.refusal != Refusal::None);
    if !items.iter().any(refused) {
        return OrderAct::Remove(items);
    }
    items.retain(refused);
    items.iter_mut().flat_map(|wish| &mut wish.parts).filter(|p| p.refusal != Refusal::None).for_each(|p| p.refusal = Refusal::Certain);
    OrderAct::Change(items)
}
