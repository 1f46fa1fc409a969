use super::wording;
use crate::domain::Rule;

/// The first rule that holds for a sentence, with its place in the list. A question of the FAQ goes before rules that say so.
pub(super) fn rule_of<'a>(text: &str, rules: &'a [Rule], is_question_of_faq: bool) -> Option<(usize, &'a Rule)> {
    let words = wording::words(text);
    let holds = |rule: &Rule| {
        wording::found(&words, &rule.words) >= rule.at_least
            && wording::found(&words, &rule.unless) == 0
            && !(rule.after_faq && is_question_of_faq)
    };
    rules.iter().enumerate().find(|(_, rule)| holds(rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, words: &[&str], at_least: usize, unless: &[&str]) -> Rule {
        let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        Rule { name: name.to_owned(), words: list(words), at_least, unless: list(unless), after_faq: name == "age", fetches_staff: true }
    }

    #[test]
    fn a_rule_holds_by_its_words_and_not_by_parts_of_words() {
        let rules = [
            rule("emergency", &["can't breathe", "epipen"], 1, &["sell"]),
            rule("age", &["wine", "beer"], 1, &[]),
            rule("german", &["wie", "viel", "kostet", "das"], 2, &[]),
        ];
        let held = |text: &str, faq| rule_of(text, &rules, faq).map(|(_, rule)| rule.name.as_str());
        assert_eq!(held("Help, she can\u{2019}t breathe!", false), Some("emergency"));
        assert_eq!(held("do you sell an EpiPen", false), None);
        assert_eq!(held("where is the wine", false), Some("age"));
        assert_eq!(held("do I need an ID for wine", true), None);
        assert_eq!(held("what is a swine", false), None);
        assert_eq!(held("Wie viel kostet das?", false), Some("german"));
        assert_eq!(held("das boot", false), None);
    }
}
