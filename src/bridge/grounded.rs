use super::facts::stems;

/// Share of the telling words of an answer that the facts or the question must have. A model that paraphrases keeps most of them; one that
/// makes things up does not.
const GROUNDED_MIN: f64 = 0.5;

/// Whether an answer says what the facts say: every number of it stands in them, at least half of its telling words do, and it names no
/// address of the network.
pub fn is_grounded(answer: &str, question: &str, facts: &[String]) -> bool {
    let numbers_of = |text: &str| {
        let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).map(str::to_owned);
        numbers.collect::<Vec<_>>()
    };
    let known_numbers: Vec<String> = facts.iter().flat_map(|fact| numbers_of(fact)).collect();
    let known: Vec<String> = facts.iter().flat_map(|fact| stems(fact)).collect();
    let asked = stems(question);
    let said = stems(answer);
    let grounded = said.iter().filter(|stem| known.contains(stem) || asked.contains(stem)).count();
    let from_facts = said.iter().filter(|stem| known.contains(stem)).count();
    let has_address = answer.contains("://") || answer.contains("www.") || answer.contains('@');
    !has_address
        && from_facts > 0
        && numbers_of(answer).iter().all(|number| known_numbers.contains(number))
        && grounded as f64 >= GROUNDED_MIN * said.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(answer: &str, expected: bool) {
        let facts = ["We deliver within 5 kilometres for 3 euros 90.".to_owned()];
        assert_eq!(is_grounded(answer, "do you bring things to old people", &facts), expected, "{answer}");
    }

    #[test]
    fn an_answer_says_no_number_and_hardly_a_word_that_the_facts_do_not_have() {
        check("Yes, we deliver within 5 kilometres for 3 euros 90.", true);
        check("We deliver to old people too.", true);
        check("We deliver within 8 kilometres.", false);
        check("Our drone fleet flies groceries anywhere tonight, free of charge.", false);
        check("We deliver; see www.example.com.", false);
        check("Old people bring things.", false);
        check("", false);
    }
}
