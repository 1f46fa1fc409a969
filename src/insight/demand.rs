use std::collections::{BTreeMap, BTreeSet};

/// 95 % of a normal distribution.
const Z: f64 = 1.959_964;
/// Sums of fewer days say nothing of what is usual.
pub const DAYS_MIN: usize = 7;

/// Something that was asked for, ordered or bought.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The local day, counted from 1970-01-01.
    pub day: i64,
    /// 0 to 23, local time.
    pub hour: usize,
    /// What it was about.
    pub product: Option<String>,
    /// How many.
    pub quantity: f64,
}

/// Monday is 0; 1970-01-01 was a Thursday.
pub fn weekday(day: i64) -> usize {
    (day + 3).rem_euclid(7) as usize
}

/// Demand over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// From the first day with an event to the last.
    pub days: usize,
    /// Sum of all quantities.
    pub sum: f64,
    /// For each hour of the day.
    pub hours: Vec<Usual>,
    /// For each day of the week, Monday first.
    pub weekdays: Vec<Usual>,
    /// The most wanted first.
    pub products: Vec<ProductDemand>,
    /// What was more or less than usual, the most surprising first. Empty below [`DAYS_MIN`] days.
    pub unusual: Vec<Unusual>,
}

/// What is usual in an hour or on a weekday.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// Sum over all days.
    pub sum: f64,
    /// How many days it is the sum of.
    pub days: usize,
    /// Mean of a day.
    pub mean: f64,
    /// 95 % interval of the mean, from how much days differ; from 0 on. As the mean where there is one day only.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// Demand for a product.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductDemand {
    /// Which.
    pub product: String,
    /// Sum of quantities.
    pub sum: f64,
    /// Of all that names a product.
    pub share: f64,
    /// The hour in which most is wanted.
    pub peak_hour: usize,
}

/// A sum that differs from what is usual by more than chance would make it.
#[derive(Debug, Clone, PartialEq)]
pub struct Unusual {
    /// Where.
    pub place: Place,
    /// What there was.
    pub sum: f64,
    /// What would be usual.
    pub expected: f64,
    /// Interval in which the sum would be, were it usual, in all but 5 % of sheets as this one (Bonferroni over all that was looked at).
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// Where demand was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A day, against other days of its weekday.
    Day(i64),
    /// An hour of a weekday, against that hour and that weekday by themselves.
    Slot {
        /// Monday is 0.
        weekday: usize,
        /// 0 to 23.
        hour: usize,
    },
    /// A product in an hour, against its share of all hours.
    Product {
        /// Which.
        product: String,
        /// 0 to 23.
        hour: usize,
    },
}

/// Demand by hour, weekday and product, with what is usual and what is not. `None` without events.
///
/// Events of an hour beyond 23 and quantities that are no number from 0 up are left out.
pub fn demand(events: &[Event]) -> Option<Demand> {
    let events: Vec<&Event> =
        events.iter().filter(|event| event.hour < 24 && event.quantity.is_finite() && event.quantity >= 0.0).collect();
    let (first, last) = (events.iter().map(|event| event.day).min()?, events.iter().map(|event| event.day).max()?);
    let mut by_day: BTreeMap<i64, [f64; 24]> = BTreeMap::new();
    let mut by_product: BTreeMap<&str, [f64; 24]> = BTreeMap::new();
    for event in &events {
        by_day.entry(event.day).or_insert([0.0; 24])[event.hour] += event.quantity;
        if let Some(product) = &event.product {
            by_product.entry(product).or_insert([0.0; 24])[event.hour] += event.quantity;
        }
    }
    let days = usize::try_from(last - first).unwrap_or(usize::MAX - 1).saturating_add(1);
    let closed = closed_weekdays(&by_day);
    let sums: Vec<f64> = by_day.values().map(|hours| hours.iter().sum()).collect();
    let open_days = |of: usize| open_days(first, last, of).max(by_day.keys().filter(|day| weekday(**day) == of).count());
    let open: usize = (0..7).filter(|of| !closed.contains(of)).map(open_days).sum();
    let hours = (0..24).map(|hour| usual(by_day.values().map(|hours| hours[hour]), open)).collect();
    let of_weekday = |of: usize| {
        let there: Vec<f64> = by_day.iter().filter(|(day, _)| weekday(**day) == of).map(|(_, hours)| hours.iter().sum()).collect();
        usual(there.into_iter(), if closed.contains(&of) { 0 } else { open_days(of) })
    };
    let weekdays: Vec<Usual> = (0..7).map(of_weekday).collect();
    let mut demand = Demand { days, sum: sums.iter().sum(), hours, weekdays, products: products(&by_product), unusual: Vec::new() };
    if by_day.len() >= DAYS_MIN {
        demand.unusual = unusual(&demand, &by_day, &by_product);
    }
    Some(demand)
}

/// Weekdays without a single event.
fn closed_weekdays(by_day: &BTreeMap<i64, [f64; 24]>) -> BTreeSet<usize> {
    let open: BTreeSet<usize> = by_day.keys().map(|day| weekday(*day)).collect();
    (0..7).filter(|of| !open.contains(of)).collect()
}

/// How many days from `first` to `last` have this weekday.
fn open_days(first: i64, last: i64, of: usize) -> usize {
    let lead = (of as i64 - weekday(first) as i64).rem_euclid(7);
    let left = last.saturating_sub(first).saturating_sub(lead);
    if left < 0 { 0 } else { usize::try_from(left / 7 + 1).unwrap_or(usize::MAX) }
}

/// Days without an event count as 0.
fn usual(sums: impl Iterator<Item = f64>, days: usize) -> Usual {
    let (mut sum, mut square) = (0.0, 0.0);
    sums.for_each(|x| {
        sum += x;
        square += x * x;
    });
    if days == 0 {
        return Usual { sum, days, mean: 0.0, low: 0.0, high: 0.0 };
    }
    let n = days as f64;
    let mean = sum / n;
    let variance = if days > 1 { ((square - n * mean * mean) / (n - 1.0)).max(0.0) } else { 0.0 };
    let half = Z * (variance / n).sqrt();
    Usual { sum, days, mean, low: (mean - half).max(0.0), high: mean + half }
}

fn products(by_product: &BTreeMap<&str, [f64; 24]>) -> Vec<ProductDemand> {
    let all: f64 = by_product.values().flatten().sum();
    let mut products: Vec<ProductDemand> = by_product
        .iter()
        .map(|(product, hours)| {
            let sum: f64 = hours.iter().sum();
            let peak_hour = (0..24).reduce(|a, b| if hours[b] > hours[a] { b } else { a }).unwrap_or(0);
            ProductDemand { product: (*product).to_owned(), sum, share: if all > 0.0 { sum / all } else { 0.0 }, peak_hour }
        })
        .collect();
    products.sort_by(|a, b| b.sum.total_cmp(&a.sum).then_with(|| a.product.cmp(&b.product)));
    products
}

/// One thing that was looked at: what there was, and what would be usual.
struct Look {
    place: Place,
    sum: f64,
    expected: f64,
}

fn unusual(demand: &Demand, by_day: &BTreeMap<i64, [f64; 24]>, by_product: &BTreeMap<&str, [f64; 24]>) -> Vec<Unusual> {
    let mut days = Vec::new();
    for (day, hours) in by_day {
        let of = demand.weekdays[weekday(*day)];
        let sum: f64 = hours.iter().sum();
        // Against the other days of that weekday; a day must not be its own measure.
        if of.days > 1 {
            days.push(Look { place: Place::Day(*day), sum, expected: (of.sum - sum) / (of.days - 1) as f64 });
        }
    }
    let mut slots = Vec::new();
    for of in 0..7 {
        for hour in 0..24 {
            let sum = by_day.iter().filter(|(day, _)| weekday(**day) == of).map(|(_, hours)| hours[hour]).sum();
            let expected = demand.weekdays[of].sum * demand.hours[hour].sum / demand.sum.max(f64::MIN_POSITIVE);
            slots.push(Look { place: Place::Slot { weekday: of, hour }, sum, expected });
        }
    }
    let all: f64 = by_product.values().flatten().sum();
    let mut by_hour = [0.0; 24];
    by_product.values().for_each(|hours| hours.iter().enumerate().for_each(|(hour, sum)| by_hour[hour] += sum));
    let mut at_hours = Vec::new();
    for (product, hours) in by_product {
        let of_product: f64 = hours.iter().sum();
        for hour in 0..24 {
            let expected = of_product * by_hour[hour] / all.max(f64::MIN_POSITIVE);
            at_hours.push(Look { place: Place::Product { product: (*product).to_owned(), hour }, sum: hours[hour], expected });
        }
    }
    let dispersion = dispersion(&days);
    let mut found: Vec<(f64, Unusual)> = [days, slots, at_hours].into_iter().flat_map(|looks| surprises(looks, dispersion)).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().map(|(_, unusual)| unusual).collect()
}

/// How much more days of a weekday vary than a Poisson distribution, at least 1: counts that come in groups vary more, and that is usual.
/// The median is not moved by the very days that are looked for; 0.455 is the median of a squared standard normal number.
fn dispersion(days: &[Look]) -> f64 {
    let known = days.iter().filter(|look| look.expected > 0.0);
    let mut squares: Vec<f64> = known.map(|look| (look.sum - look.expected).powi(2) / look.expected).collect();
    squares.sort_unstable_by(f64::total_cmp);
    squares.get(squares.len() / 2).map_or(1.0, |median| (median / 0.455).max(1.0))
}

/// Those that are further from what is usual than chance would put one of them in 19 of 20 sheets, with how far. Only sums of which at least
/// 5 were expected, or that came to 5, are looked at: below that the normal distribution is a poor picture of counts.
fn surprises(looks: Vec<Look>, dispersion: f64) -> Vec<(f64, Unusual)> {
    let looks: Vec<Look> = looks.into_iter().filter(|look| look.expected > 0.5 && look.expected.max(look.sum) >= 5.0).collect();
    let count = looks.len() as f64;
    let z = quantile_above(0.025 / count.max(1.0));
    let judged = looks.into_iter().filter_map(|look| {
        let deviation = (dispersion * look.expected).sqrt();
        let (low, high) = ((look.expected - z * deviation).max(0.0), look.expected + z * deviation);
        let is_unusual = look.sum < low || look.sum > high;
        let surprise = (look.sum - look.expected).abs() / deviation;
        is_unusual.then_some((surprise, Unusual { place: look.place, sum: look.sum, expected: look.expected, low, high }))
    });
    judged.collect()
}

/// The number that a standard normal one exceeds with this probability, below 0.5.
/// # Source
/// Abramowitz & Stegun, "Handbook of Mathematical Functions" (1964), 26.2.23; wrong by less than 0.00045.
fn quantile_above(probability: f64) -> f64 {
    let t = (-2.0 * probability.max(1e-300).ln()).sqrt();
    t - (2.515_517 + 0.802_853 * t + 0.010_328 * t * t) / (1.0 + 1.432_788 * t + 0.189_269 * t * t + 0.001_308 * t * t * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(day: i64, hour: usize, product: &str, quantity: f64) -> Event {
        Event { day, hour, product: Some(product.to_owned()), quantity }
    }

    /// Eight weeks, Mondays to Saturdays, ten at nine and four at five; milk in the morning, beer in the evening.
    fn weeks() -> Vec<Event> {
        let days = (4..60).filter(|day| weekday(*day) != 6);
        days.flat_map(|day| [event(day, 9, "milk", 10.0), event(day, 17, "beer", 4.0), event(day, 17, "milk", 1.0)]).collect()
    }

    #[test]
    fn days_have_their_weekday() {
        assert_eq!((weekday(0), weekday(3), weekday(4), weekday(-1)), (3, 6, 0, 2));
        assert_eq!((open_days(0, 6, 3), open_days(0, 7, 3), open_days(0, 1, 6)), (1, 2, 0));
    }

    #[test]
    fn hours_weekdays_and_products_are_summed_and_closed_days_do_not_count() {
        let found = demand(&weeks()).expect("demand");
        assert_eq!((found.days, found.sum), (55, 48.0 * 15.0));
        assert_eq!((found.hours[9].mean, found.hours[17].mean, found.hours[3].mean), (10.0, 5.0, 0.0));
        assert_eq!((found.weekdays[0].mean, found.weekdays[6].days, found.weekdays[5].days), (15.0, 0, 8));
        assert_eq!(found.products.iter().map(|p| (p.product.as_str(), p.peak_hour)).collect::<Vec<_>>(), [("milk", 9), ("beer", 17)]);
        assert!((found.products[0].share - 11.0 / 15.0).abs() < 1e-9);
    }

    #[test]
    fn a_day_and_an_hour_far_above_the_usual_are_found_with_their_product() {
        let mut events = weeks();
        events.push(event(25, 12, "ice", 60.0));
        let found = demand(&events).expect("demand");
        assert!(
            found.unusual.iter().any(|u| u.place == Place::Day(25) && u.sum == 75.0 && (u.expected - 15.0).abs() < 1e-9 && u.sum > u.high)
        );
        assert!(found.unusual.iter().any(|u| u.place == Place::Slot { weekday: weekday(25), hour: 12 }), "{:?}", found.unusual);
        assert!(found.unusual.iter().any(|u| u.place == Place::Product { product: "beer".to_owned(), hour: 17 } && u.sum > u.high));
        assert!(!found.unusual.iter().any(|u| matches!(u.place, Place::Day(day) if day != 25)));
    }

    #[test]
    fn counts_by_chance_are_usual() {
        // A fixed draw of Poisson counts by Knuth's method with a plain congruential generator.
        let mut state = 7_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut poisson = |mean: f64| {
            let (mut count, mut product) = (0.0, uniform());
            while product > (-mean).exp() {
                count += 1.0;
                product *= uniform();
            }
            count
        };
        let events: Vec<Event> =
            (0..84).flat_map(|day| (8..20).map(move |hour| (day, hour))).map(|(day, hour)| event(day, hour, "a", poisson(6.0))).collect();
        let found = demand(&events).expect("demand");
        assert!(found.unusual.len() <= 1, "{:?}", found.unusual);
        let nine = found.hours[9];
        assert!(nine.low < 6.0 && nine.high > 6.0 && nine.high - nine.low < 1.5, "{nine:?}");
    }

    #[test]
    fn nothing_few_days_and_strange_numbers_are_no_trouble() {
        assert_eq!(demand(&[]), None);
        assert_eq!(demand(&[event(1, 9, "a", f64::NAN), event(1, 24, "a", 1.0)]), None);
        let one = demand(&[event(i64::MAX - 3, 9, "a", 2.0)]).expect("demand");
        assert_eq!((one.days, one.hours[9].mean, one.unusual.len()), (1, 2.0, 0));
        let far = demand(&[event(0, 9, "a", 0.0), event(i64::MAX - 3, 9, "a", 0.0)]).expect("demand");
        assert_eq!(far.sum, 0.0);
    }

    #[test]
    fn the_quantile_is_that_of_the_tables() {
        assert!((quantile_above(0.025) - 1.96).abs() < 1e-3 && (quantile_above(0.0005) - 3.2905).abs() < 1e-3);
    }
}
