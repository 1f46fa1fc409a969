//! Numbers that columns make together: the mean time of a page visit says more than its count and its sum side by side.

use serde::{Deserialize, Serialize};

use super::columns::{Frame, Schema};

/// A number made of others, by the places of their columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Derived {
    /// All of them together.
    Sum(Vec<usize>),
    /// The sum of the first over the sum of the second; 0 where that is 0.
    Quotient(Vec<usize>, Vec<usize>),
    /// The first without the second.
    Difference(usize, usize),
}

impl Derived {
    /// What belongs together by its names.
    ///
    /// `Pages` and `Pages_Duration` are a count and a total: their quotient is a mean. Columns that end with the same word measure the same
    /// thing of several parts: their sum, each part's share of it, and of two parts quotient and difference. Totals over all counts
    /// give one overall mean.
    pub fn of(schema: &Schema) -> Vec<Derived> {
        let numbers: Vec<(usize, &str)> =
            schema.columns.iter().enumerate().filter(|(_, c)| c.is_number).map(|(at, c)| (at, c.name.as_str())).collect();
        let mut derived = Vec::new();
        let (mut counts, mut totals) = (Vec::new(), Vec::new());
        for (count, short) in &numbers {
            for (total, _) in numbers.iter().filter(|(_, long)| is_extended(short, long)) {
                derived.push(Derived::Quotient(vec![*total], vec![*count]));
                counts.push(*count);
                totals.push(*total);
            }
        }
        counts.dedup();
        if counts.len() > 1 {
            derived.push(Derived::Quotient(totals, counts.clone()));
            derived.extend(parts_of(&counts));
        }
        let mut endings: Vec<String> = numbers.iter().filter_map(|(_, name)| ending(name)).collect();
        endings.sort();
        endings.dedup();
        for word in endings {
            let parts: Vec<usize> = numbers.iter().filter(|(_, name)| ending(name).as_ref() == Some(&word)).map(|(at, _)| *at).collect();
            match parts[..] {
                [] | [_] => {}
                [one, other] => {
                    derived.push(Derived::Quotient(vec![one], vec![other]));
                    derived.push(Derived::Difference(one, other));
                }
                _ => derived.extend(parts_of(&parts)),
            }
        }
        derived
    }

    /// The columns that it is made of.
    pub fn parts(&self) -> Vec<usize> {
        match self {
            Derived::Sum(parts) => parts.clone(),
            Derived::Quotient(over, under) => over.iter().chain(under).copied().collect(),
            Derived::Difference(one, other) => vec![*one, *other],
        }
    }

    /// What it is called, for people.
    pub fn name(&self, schema: &Schema) -> String {
        let names = |parts: &[usize]| parts.iter().map(|at| schema.columns[*at].name.as_str()).collect::<Vec<_>>().join(" + ");
        match self {
            Derived::Sum(parts) => names(parts),
            Derived::Quotient(over, under) => format!("({}) / ({})", names(over), names(under)),
            Derived::Difference(one, other) => format!("{} - {}", names(&[*one]), names(&[*other])),
        }
    }

    /// Its value in each row; NaN where a part is unknown.
    pub fn values(&self, frame: &Frame) -> Vec<f32> {
        let sum = |parts: &[usize], row: usize| parts.iter().map(|at| frame.numbers[*at][row]).sum::<f32>();
        let value = |row: usize| match self {
            Derived::Sum(parts) => sum(parts, row),
            Derived::Difference(one, other) => frame.numbers[*one][row] - frame.numbers[*other][row],
            Derived::Quotient(over, under) => {
                let (over, under) = (sum(over, row), sum(under, row));
                // The sum of numbers near the end of the range may leave it.
                match over / under {
                    quotient if quotient.is_finite() || over.is_nan() || under.is_nan() => quotient,
                    _ => 0.0,
                }
            }
        };
        (0..frame.rows).map(value).map(|x| if x.is_infinite() { x.signum() * f32::MAX } else { x }).collect()
    }
}

/// The sum of all, and what each but the last has of it: the last share follows from the others.
fn parts_of(parts: &[usize]) -> Vec<Derived> {
    let shares = parts[1..].iter().map(|part| Derived::Quotient(vec![*part], parts.to_vec()));
    std::iter::once(Derived::Sum(parts.to_vec())).chain(shares).collect()
}

/// Whether the second name is the first and a word more.
fn is_extended(short: &str, long: &str) -> bool {
    long.strip_prefix(short).is_some_and(|rest| rest.starts_with(['_', ' ', '-', '.']) && rest.len() > 1)
}

/// The last word of a name of several words: `Duration` of `Pages_Duration`, `Rates` of `ExitRates`.
fn ending(name: &str) -> Option<String> {
    let is_mark = |c: char| matches!(c, '_' | ' ' | '-' | '.');
    let characters: Vec<(usize, char)> = name.char_indices().collect();
    let mut starts = characters.windows(2).filter(|pair| is_mark(pair[0].1) || (pair[0].1.is_lowercase() && pair[1].1.is_uppercase()));
    starts.next_back().map(|pair| name[pair[1].0..].to_lowercase()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::columns::Column;
    use super::*;

    fn schema(names: &[&str]) -> Schema {
        let column = |name: &&str| Column { name: (*name).to_owned(), is_number: true, levels: Vec::new() };
        Schema { label: "y".to_owned(), columns: names.iter().map(column).collect(), ignored: Vec::new(), dropped: Vec::new() }
    }

    fn names(of: &[&str]) -> Vec<String> {
        let schema = schema(of);
        Derived::of(&schema).iter().map(|derived| derived.name(&schema)).collect()
    }

    #[test]
    fn a_count_and_a_total_of_one_name_make_a_mean() {
        assert_eq!(names(&["Help", "Help_Duration", "age"]), ["(Help_Duration) / (Help)"]);
    }

    #[test]
    fn two_rates_are_compared_and_several_durations_summed() {
        assert_eq!(names(&["BounceRates", "ExitRates"]), ["(BounceRates) / (ExitRates)", "BounceRates - ExitRates"]);
        assert_eq!(names(&["a_time", "b_time", "c_time"])[0], "a_time + b_time + c_time");
        assert!(names(&["age", "height", "x"]).is_empty());
    }

    #[test]
    fn nothing_over_nothing_is_nothing_and_the_unknown_stays_unknown() {
        let frame = Frame { rows: 3, numbers: vec![vec![0.0, 6.0, f32::NAN], vec![0.0, 3.0, 1.0]], codes: Vec::new() };
        let values = Derived::Quotient(vec![0], vec![1]).values(&frame);
        assert_eq!(values[..2], [0.0, 2.0]);
        assert!(values[2].is_nan());
    }
}
