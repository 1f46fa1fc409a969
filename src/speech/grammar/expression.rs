//! The little language of a grammar file: `can I (get|have) [a] {size} coffee`.

/// Brackets within brackets; more is a slip of the keyboard.
const DEPTH_MAX: usize = 16;
/// Rounds of a repetition.
pub(super) const ROUNDS_MAX: u8 = 32;
/// Marks that are written without a blank before them.
const MARKS: &[u8] = b",.;:!?";

/// What can stand in one place.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// Lower case, as it is heard; not empty.
    Word(String),
    /// A phrase, slot or list of values that is described elsewhere.
    Name(String),
    /// This or nothing.
    Optional(Box<Expression>),
    /// One of these; the first has precedence.
    Either(Vec<Expression>),
    /// One after the other.
    Sequence(Vec<Item>),
    /// Several times.
    Repeated(Box<Repeated>),
    /// Each at most once, in any order.
    AnyOrder(Box<AnyOrder>),
    /// One of these; what is on the left is what it means.
    Values(Vec<(String, Expression)>),
}

/// A part of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// Whether it follows without a blank.
    pub glued: bool,
    pub of: Expression,
}

/// `x*2..4`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Repeated {
    pub of: Expression,
    /// Whether the rounds follow each other without a blank.
    pub glued: bool,
    pub at_least: u8,
    pub at_most: u8,
}

/// `{ any_order = [..], between = ".." }`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AnyOrder {
    pub members: Vec<Expression>,
    pub between: Option<Expression>,
    pub at_least: usize,
    pub at_most: usize,
}

/// Whether no blank is written before this word.
pub(super) fn hangs_on(word: &str) -> bool {
    word.bytes().next().is_some_and(|first| MARKS.contains(&first))
}

impl Expression {
    /// Reads an expression; the error is half a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: text, depth: 0 };
        let expression = parser.either(false)?;
        match parser.rest.chars().next() {
            None => Ok(expression),
            Some(close) => Err(format!("{close:?} closes nothing; open it before, or leave it out")),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Parser<'_> {
    /// Alternatives up to a closing bracket or the end.
    fn either(&mut self, glued: bool) -> Result<Expression, String> {
        let mut alternatives = vec![self.sequence(glued)?];
        while self.eat('|') {
            alternatives.push(self.sequence(glued)?);
        }
        // An empty alternative, as in `(a|)`, would be a second way to write what brackets say better.
        if alternatives.len() > 1 && alternatives.iter().any(|a| matches!(a, Expression::Sequence(items) if items.is_empty())) {
            return Err("a '|' has nothing on one side; write [a] for a or nothing".to_owned());
        }
        Ok(if alternatives.len() == 1 { alternatives.remove(0) } else { Expression::Either(alternatives) })
    }

    /// What stands one after the other. The first item is glued where the group it stands in is.
    fn sequence(&mut self, glued: bool) -> Result<Expression, String> {
        let mut items = Vec::new();
        loop {
            let trimmed = self.rest.trim_start();
            let is_apart = trimmed.len() < self.rest.len();
            self.rest = trimmed;
            let glued = if items.is_empty() { glued } else { !is_apart };
            match self.rest.chars().next() {
                None | Some('|' | ')' | ']' | '}') => break,
                Some(_) => {
                    let of = self.atom(glued)?;
                    let of = self.repeated(of, glued)?;
                    items.push(Item { glued, of });
                }
            }
        }
        Ok(if items.len() == 1 { items.remove(0).of } else { Expression::Sequence(items) })
    }

    fn atom(&mut self, glued: bool) -> Result<Expression, String> {
        if self.eat('(') {
            self.group(glued, ')')
        } else if self.eat('[') {
            Ok(Expression::Optional(Box::new(self.group(glued, ']')?)))
        } else if self.eat('{') {
            let end = self.rest.find('}').ok_or("a '{' is not closed")?;
            let name = self.rest[..end].trim().to_owned();
            self.rest = &self.rest[end + 1..];
            if is_name(&name) { Ok(Expression::Name(name)) } else { Err(format!("{{{name}}} is no name; {NAME_RULE}")) }
        } else {
            self.word()
        }
    }

    fn group(&mut self, glued: bool, close: char) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("more than {DEPTH_MAX} brackets stand in each other; give the inner ones a name of their own"));
        }
        let inside = self.either(glued)?;
        self.depth -= 1;
        if !self.eat(close) {
            return Err(format!("a bracket is not closed; {close:?} is missing"));
        }
        if matches!(&inside, Expression::Sequence(items) if items.is_empty()) {
            return Err("a pair of brackets is empty".to_owned());
        }
        Ok(inside)
    }

    fn word(&mut self) -> Result<Expression, String> {
        let end = self.rest.find(|c: char| !is_of_word(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        match (word, rest.chars().next()) {
            ("", Some('*')) => Err("a '*' has nothing before it that could be repeated".to_owned()),
            ("", Some(other)) => {
                Err(format!("{other:?} cannot be heard; spell it with ASCII letters, digits and the marks '&%$#@/.,:;!?-"))
            }
            _ => {
                self.rest = rest;
                Ok(Expression::Word(word.to_ascii_lowercase()))
            }
        }
    }

    /// `*3` or `*3..7` after an item.
    fn repeated(&mut self, of: Expression, glued: bool) -> Result<Expression, String> {
        if !self.eat('*') {
            return Ok(of);
        }
        let at_least = self.number()?;
        let at_most = if self.rest.starts_with("..") {
            self.rest = &self.rest[2..];
            self.number()?
        } else {
            at_least
        };
        if at_most == 0 || at_least > at_most || at_most > ROUNDS_MAX {
            return Err(format!("*{at_least}..{at_most} makes no sense; expected from 0 to at most {ROUNDS_MAX} rounds, as in *2..4"));
        }
        Ok(Expression::Repeated(Box::new(Repeated { of, glued, at_least, at_most })))
    }

    fn number(&mut self) -> Result<u8, String> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().map_err(|_| format!("a '*' is followed by {digits:?}; expected a number of rounds up to {ROUNDS_MAX}, as in *2..4"))
    }

    fn eat(&mut self, what: char) -> bool {
        match self.rest.strip_prefix(what) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "'&%$#@/.,:;!?-".contains(c)
}

/// What a name may be.
pub(super) const NAME_RULE: &str = "a name begins with a letter and holds letters, digits, '_' and '-'";

/// Whether that rule is kept.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word(text: &str) -> Expression {
        Expression::Word(text.to_owned())
    }

    fn item(glued: bool, of: Expression) -> Item {
        Item { glued, of }
    }

    #[test]
    fn a_blank_in_the_file_is_a_blank_and_none_is_none() {
        let parsed = Expression::parse("8oz[.] {x}{y}").expect("parses");
        let optional = Expression::Optional(Box::new(word(".")));
        let name = |name: &str| Expression::Name(name.to_owned());
        let items = vec![item(false, word("8oz")), item(true, optional), item(false, name("x")), item(true, name("y"))];
        assert_eq!(parsed, Expression::Sequence(items));
    }

    #[test]
    fn rounds_are_counted() {
        let Ok(Expression::Repeated(repeated)) = Expression::parse("(a|b)*2..4") else { panic!("no repetition") };
        assert_eq!((repeated.at_least, repeated.at_most), (2, 4));
        assert_eq!(repeated.of, Expression::Either(vec![word("a"), word("b")]));
    }

    #[test]
    fn slips_are_named() {
        for (text, told) in [
            ("(a", "not closed"),
            ("a)", "closes nothing"),
            ("{a", "not closed"),
            ("{}", "no name"),
            ("[]", "empty"),
            ("a|", "nothing on one side"),
            ("a*0", "no sense"),
            ("a*5..2", "no sense"),
            ("a*99", "no sense"),
            ("a*", "number of rounds"),
            ("*2", "nothing before it"),
            ("crème", "cannot be heard"),
            ("[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]", "brackets"),
        ] {
            let error = Expression::parse(text).expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), likely in "[a-c\\[\\](){}|*0-9. ,]{0,40}") {
            let _ = (Expression::parse(&text), Expression::parse(&likely));
        }
    }
}
