use std::collections::BTreeMap;

/// Items of each basket, by item: a bit for each basket that holds it.
#[derive(Debug, Clone, Default)]
pub struct Baskets {
    names: Vec<String>,
    /// `[items][baskets / 64]`.
    holds: Vec<Vec<u64>>,
    count: usize,
}

impl Baskets {
    /// From the items of each basket; an item twice in one basket counts once.
    pub fn new<'a, B: IntoIterator<Item = &'a str>>(baskets: impl IntoIterator<Item = B>) -> Self {
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut count = 0;
        for basket in baskets {
            for item in basket {
                places.entry(item).or_default().push(count);
            }
            count += 1;
        }
        let words = count.div_ceil(64);
        let bits = |places: &Vec<usize>| {
            let mut bits = vec![0_u64; words];
            places.iter().for_each(|place| bits[place / 64] |= 1 << (place % 64));
            bits
        };
        let holds = places.values().map(bits).collect();
        Self { names: places.into_keys().map(str::to_owned).collect(), holds, count }
    }

    /// How many baskets there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The names of the items, sorted.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The baskets that hold an item.
    pub(super) fn holding(&self, item: usize) -> &[u64] {
        &self.holds[item]
    }
}
