use std::collections::BTreeMap;

/// Who took what: the items of each basket.
#[derive(Debug, Clone, Default)]
pub struct Baskets {
    names: Vec<String>,
    /// For each basket its items, by place in `names`, in order and each once.
    items: Vec<Vec<usize>>,
}

impl Baskets {
    /// From the items of each basket; an item twice in one basket counts once.
    pub fn new<'a, B: IntoIterator<Item = &'a str>>(baskets: impl IntoIterator<Item = B>) -> Self {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut items: Vec<Vec<usize>> = Vec::new();
        for basket in baskets {
            let mut own = Vec::new();
            for item in basket {
                let next = places.len();
                own.push(*places.entry(item).or_insert(next));
            }
            items.push(own);
        }
        // Names are in alphabetical order; until here they were in the order in which they came.
        let mut sorted = vec![0; places.len()];
        places.values().enumerate().for_each(|(at, place)| sorted[*place] = at);
        for basket in &mut items {
            basket.iter_mut().for_each(|item| *item = sorted[*item]);
            basket.sort_unstable();
            basket.dedup();
        }
        Self { names: places.into_keys().map(str::to_owned).collect(), items }
    }

    /// How many baskets there are.
    pub fn count(&self) -> usize {
        self.items.len()
    }

    /// The names of the items, sorted.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The items of a basket, in order.
    pub(super) fn items(&self, basket: usize) -> &[usize] {
        &self.items[basket]
    }
}
