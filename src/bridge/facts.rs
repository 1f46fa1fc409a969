use std::collections::HashMap;

/// Words that fit every question.
const EVERYWHERE: [&str; 48] = [
    "a", "about", "an", "and", "are", "at", "be", "can", "do", "does", "for", "from", "get", "have", "how", "i", "if", "in", "is", "it",
    "me", "my", "of", "on", "one", "or", "our", "please", "some", "tell", "that", "the", "there", "this", "to", "us", "want", "was", "we",
    "what", "when", "where", "which", "who", "will", "with", "you", "your",
];
/// Letters by which words of one family begin: "deliver", "delivery", "delivers".
const STEM: usize = 5;

/// The facts that share words with the question, best first, `most` of them. A rare word counts for more than one that many facts have.
///
/// # Source
/// Inverse document frequency: Spärck Jones, "A Statistical Interpretation of Term Specificity" (1972).
pub fn fitting(question: &str, facts: &[String], most: usize) -> Vec<String> {
    let stems: Vec<Vec<String>> = facts.iter().map(|fact| stems(fact)).collect();
    let mut count: HashMap<&str, usize> = HashMap::new();
    for fact in &stems {
        fact.iter().for_each(|stem| *count.entry(stem).or_default() += 1);
    }
    let weight = |stem: &String| count.get(stem.as_str()).map_or(0.0, |n| ((facts.len() + 1) as f64 / *n as f64).ln());
    let asked = self::stems(question);
    let score = |fact: &Vec<String>| asked.iter().filter(|stem| fact.contains(stem)).map(weight).sum::<f64>();
    let mut scored: Vec<(f64, usize)> = stems.iter().map(score).zip(0..).filter(|(score, _)| *score > 0.0).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.into_iter().take(most).map(|(_, at)| facts[at].clone()).collect()
}

/// The beginnings of the words that tell something, each once.
pub(super) fn stems(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    let telling = words.filter(|word| !word.is_empty() && !EVERYWHERE.contains(&word.as_str()));
    let mut stems: Vec<String> = telling.map(|word| word.chars().take(STEM).collect()).collect();
    stems.sort_unstable();
    stems.dedup();
    stems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_that_share_rare_words_come_first() {
        let facts = ["We deliver within 5 kilometres.", "You can pay by card.", "You can park behind the shop."].map(str::to_owned);
        assert_eq!(fitting("what does delivery to my house cost", &facts, 2), [facts[0].clone()]);
        assert_eq!(fitting("can I park and pay with a card", &facts, 1), [facts[1].clone()]);
        assert!(fitting("who is the king of sweden", &facts, 3).is_empty());
        assert!(fitting("", &facts, 3).is_empty());
    }
}
