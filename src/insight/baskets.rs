use std::collections::HashMap;

/// Who took what: the items of each basket.
#[derive(Debug, Clone, Default)]
pub struct Baskets {
    names: Vec<String>,
    /// The items of all baskets, one basket behind the other, by place in `names`; those of one basket are in order and each once.
    items: Vec<usize>,
    /// For each basket where it ends in `items`.
    ends: Vec<usize>,
}

impl Baskets {
    /// From the items of each basket; an item twice in one basket counts once.
    pub fn new<'a, B: IntoIterator<Item = &'a str>>(baskets: impl IntoIterator<Item = B>) -> Self {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let (mut met, mut met_ends) = (Vec::new(), Vec::new());
        for basket in baskets {
            for item in basket {
                let next = places.len();
                met.push(*places.entry(item).or_insert(next));
            }
            met_ends.push(met.len());
        }
        let mut names: Vec<(&str, usize)> = places.into_iter().collect();
        names.sort_unstable();
        // Names are in alphabetical order; until here they were in the order in which they came.
        let mut sorted = vec![0; names.len()];
        names.iter().enumerate().for_each(|(at, (_, place))| sorted[*place] = at);
        let mut held = Self { names: names.iter().map(|(name, _)| (*name).to_owned()).collect(), ..Self::default() };
        let mut begin = 0;
        for end in met_ends {
            let basket = &mut met[begin..end];
            basket.iter_mut().for_each(|item| *item = sorted[*item]);
            basket.sort_unstable();
            let first = held.items.len();
            for item in basket {
                if held.items[first..].last() != Some(item) {
                    held.items.push(*item);
                }
            }
            held.ends.push(held.items.len());
            begin = end;
        }
        held
    }

    /// How many baskets there are.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// The names of the items, sorted.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The items of each basket, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[usize]> {
        self.ends.iter().scan(0, |begin, end| Some(&self.items[std::mem::replace(begin, *end)..*end]))
    }
}
