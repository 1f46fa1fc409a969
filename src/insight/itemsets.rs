use std::ops::Range;

use super::Baskets;

/// Items in one set at most.
const ITEMS_MAX: usize = 16;
/// Stands behind the last item of a basket.
const END: usize = usize::MAX;

/// All sets of items that enough baskets hold, and how many do.
///
/// The sets are a tree: a set hangs below the one that lacks its last item. All that hang below the same one stand side by side, by item, so
/// that a set is looked up by a few short searches.
///
/// # Source
/// Uno et al., "LCM ver. 2" (2004), section 3: sets are grown item by item, and each is handed the places in the baskets that hold it
/// ("occurrence deliver"). It finds the same sets as FP-growth.
pub(super) struct ItemSets {
    /// The empty set first, and each set behind the one it hangs below.
    sets: Vec<ItemSet>,
}

/// One set of items.
struct ItemSet {
    /// The last item.
    item: usize,
    /// How many baskets hold the set.
    count: usize,
    /// The set that lacks the last item.
    parent: usize,
    /// The sets with one item more, which comes behind the last.
    children: Range<usize>,
}

impl ItemSets {
    /// The sets that `count_min` baskets hold, at least one; nothing if there are more than `sets_max`.
    pub(super) fn find(baskets: &Baskets, count_min: usize, sets_max: usize) -> Option<Self> {
        let mut search = Search {
            items: baskets.iter().flat_map(|basket| basket.iter().copied().chain([END])).collect(),
            sets: vec![ItemSet { item: END, count: baskets.count(), parent: 0, children: 0..0 }],
            seen: vec![0; baskets.names().len()],
            count_min: count_min.max(1),
            sets_max,
        };
        let begins = baskets.iter().scan(0, |next, basket| Some(std::mem::replace(next, *next + basket.len() + 1)));
        search.extend(0, 0, &begins.collect::<Vec<_>>())?;
        Some(Self { sets: search.sets })
    }

    /// How many baskets hold all of `items`, which are in order, if enough do.
    pub(super) fn count(&self, items: impl IntoIterator<Item = usize>) -> Option<usize> {
        let mut at = &self.sets[0];
        for item in items {
            let children = &self.sets[at.children.clone()];
            at = &children[children.binary_search_by_key(&item, |child| child.item).ok()?];
        }
        Some(at.count)
    }

    /// Each set that is not empty, its items in order, with how many baskets hold it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Vec<usize>, usize)> {
        (1..self.sets.len()).map(|at| {
            let mut items: Vec<usize> = std::iter::successors(Some(at), |at| Some(self.sets[*at].parent))
                .take_while(|at| *at != 0)
                .map(|at| self.sets[at].item)
                .collect();
            items.reverse();
            (items, self.sets[at].count)
        })
    }
}

/// The search for sets.
struct Search {
    /// The items of all baskets, each basket with [`END`] behind it.
    items: Vec<usize>,
    sets: Vec<ItemSet>,
    /// A number for each item; all 0 between two uses.
    seen: Vec<usize>,
    count_min: usize,
    sets_max: usize,
}

impl Search {
    /// Adds the sets below the one at `parent`, of `depth` items. `places` are where its baskets go on behind its last item.
    fn extend(&mut self, parent: usize, depth: usize, places: &[usize]) -> Option<()> {
        let first = self.sets.len();
        let mut met = Vec::new();
        for place in places {
            for item in self.items[*place..].iter().take_while(|item| **item != END) {
                if self.seen[*item] == 0 {
                    met.push(*item);
                }
                self.seen[*item] += 1;
            }
        }
        met.sort_unstable();
        for item in met {
            let count = std::mem::take(&mut self.seen[item]);
            if count >= self.count_min {
                self.sets.push(ItemSet { item, count, parent, children: 0..0 });
            }
        }
        let children = first..self.sets.len();
        self.sets[parent].children = children.clone();
        // The empty set does not count.
        if self.sets.len() - 1 > self.sets_max {
            return None;
        }
        // What may come behind a child is the last item of a child further on, so that the last one has nothing below.
        if depth + 1 < ITEMS_MAX && children.len() > 1 {
            for (child, places) in children.clone().zip(self.deliver(places, &children)) {
                self.extend(child, depth + 1, &places)?;
            }
        }
        Some(())
    }

    /// For each child but the last where its baskets go on.
    fn deliver(&mut self, places: &[usize], children: &Range<usize>) -> Vec<Vec<usize>> {
        let children = &self.sets[children.start..children.end - 1];
        let mut delivered: Vec<Vec<usize>> = children.iter().map(|child| Vec::with_capacity(child.count)).collect();
        children.iter().enumerate().for_each(|(at, child)| self.seen[child.item] = at + 1);
        for place in places {
            let mut place = *place;
            while self.items[place] != END {
                if let Some(at) = self.seen[self.items[place]].checked_sub(1) {
                    delivered[at].push(place + 1);
                }
                place += 1;
            }
        }
        children.iter().for_each(|child| self.seen[child.item] = 0);
        delivered
    }
}
