//! The automaton as it is written down: a graph without circles, shared wherever two places go on in the same way.

use std::collections::HashMap;

use super::definitions::{Definition, Definitions};
use super::expression::{AnyOrder, Expression, Item, Repeated, hangs_on};

/// A larger automaton is refused. The coffee bar has a few thousand nodes.
const NODES_MAX: usize = 200_000;
/// Steps of building: names that hold each other many times cost time before they cost nodes.
const STEPS_MAX: usize = 2_000_000;

/// Place of a node in [`Program::nodes`].
pub(super) type NodeId = u32;

/// A slot gets (one more part of) its value here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tag {
    pub slot: u16,
    pub value: u32,
}

/// What happens at a place, as in Thompson's machines.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// This character, then on.
    Byte(u8, NodeId),
    /// Any of these; the first has precedence.
    Split(Box<[NodeId]>),
    /// Noted without a character.
    Tag(Tag, NodeId),
    /// A sentence is complete: its number in the file.
    Accept(u16),
}

/// The automaton. A node's followers have smaller numbers, so it has no circles and what it accepts is finite.
#[derive(Debug)]
pub(super) struct Program {
    pub nodes: Vec<Node>,
    pub start: NodeId,
    /// The values that tags name.
    pub values: Vec<String>,
}

impl Program {
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// Writes down all sentences. The error is half a sentence.
    pub fn of(sentences: &[Expression], definitions: &Definitions) -> Result<Self, String> {
        let mut builder = Builder {
            definitions,
            nodes: Vec::new(),
            known: HashMap::new(),
            values: Vec::new(),
            value_ids: HashMap::new(),
            names: HashMap::new(),
            steps: 0,
        };
        let mut starts = Vec::new();
        for (number, sentence) in sentences.iter().enumerate() {
            let accept = builder.node(Node::Accept(u16::try_from(number).map_err(|_| "there are too many sentences")?))?;
            // Whisper ends a sentence with a mark, or does not.
            let marks: Vec<NodeId> = b".!?".iter().map(|&mark| builder.node(Node::Byte(mark, accept))).collect::<Result<_, _>>()?;
            let end = builder.split([accept].into_iter().chain(marks).collect())?;
            starts.push(builder.expression(sentence, &Way { glued: false, next: end, skip: end, slot: None })?);
        }
        let start = builder.split(starts)?;
        Ok(Self { nodes: builder.nodes, start, values: builder.values })
    }
}

/// How an expression is entered and left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Way {
    /// Whether its first word follows without a blank.
    glued: bool,
    /// Where it goes on after at least one character.
    next: NodeId,
    /// Where it goes on if it was left out altogether: there a blank may still be owed.
    skip: NodeId,
    /// The slot that values belong to.
    slot: Option<u16>,
}

/// Builds from the end of a sentence to its beginning, so that what follows is known and can be shared.
struct Builder<'a> {
    definitions: &'a Definitions,
    nodes: Vec<Node>,
    known: HashMap<Node, NodeId>,
    values: Vec<String>,
    value_ids: HashMap<String, u32>,
    names: HashMap<(usize, Way), NodeId>,
    steps: usize,
}

impl Builder<'_> {
    fn node(&mut self, node: Node) -> Result<NodeId, String> {
        if let Some(&known) = self.known.get(&node) {
            return Ok(known);
        }
        if self.nodes.len() >= NODES_MAX {
            return Err(too_large());
        }
        let id = self.nodes.len() as NodeId;
        self.nodes.push(node.clone());
        self.known.insert(node, id);
        Ok(id)
    }

    fn split(&mut self, ways: Vec<NodeId>) -> Result<NodeId, String> {
        let mut distinct: Vec<NodeId> = Vec::with_capacity(ways.len());
        let mut seen = std::collections::HashSet::new();
        distinct.extend(ways.into_iter().filter(|&way| seen.insert(way)));
        match distinct[..] {
            [only] => Ok(only),
            _ => self.node(Node::Split(distinct.into())),
        }
    }

    fn expression(&mut self, expression: &Expression, way: &Way) -> Result<NodeId, String> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(too_large());
        }
        match expression {
            Expression::Word(word) => self.word(word, way),
            Expression::Name(name) => self.name(name, way),
            Expression::Optional(inside) => {
                let inside = self.expression(inside, way)?;
                self.split(vec![inside, way.skip])
            }
            Expression::Either(alternatives) => {
                let ways = alternatives.iter().map(|a| self.expression(a, way)).collect::<Result<_, _>>()?;
                self.split(ways)
            }
            Expression::Sequence(items) => self.sequence(items, way),
            Expression::Repeated(repeated) => self.repeated(repeated, way),
            Expression::AnyOrder(any_order) => self.any_order(any_order, way),
            Expression::Values(values) => self.values(values, way),
        }
    }

    fn word(&mut self, word: &str, way: &Way) -> Result<NodeId, String> {
        let mut at = way.next;
        for byte in word.bytes().rev() {
            let plain = self.node(Node::Byte(byte, at))?;
            at = if byte == b'-' {
                // People do not say hyphens, and Whisper writes "dark-roast" as readily as "dark roast".
                let blank = self.node(Node::Byte(b' ', at))?;
                self.split(vec![blank, plain])?
            } else {
                plain
            };
        }
        if way.glued || hangs_on(word) { Ok(at) } else { self.node(Node::Byte(b' ', at)) }
    }

    fn name(&mut self, name: &str, way: &Way) -> Result<NodeId, String> {
        let definitions = self.definitions;
        let (index, Definition { slot, body, .. }) = definitions.get(name).ok_or_else(|| format!("{{{name}}} is described nowhere"))?;
        let way = Way { slot: slot.or(way.slot), ..*way };
        if let Some(&known) = self.names.get(&(index, way)) {
            return Ok(known);
        }
        let entry = self.expression(body, &way)?;
        self.names.insert((index, way), entry);
        Ok(entry)
    }

    /// From the last item to the first. How an item is entered depends on what came before it in this sequence: whether anything was
    /// said, and whether a blank is owed that stood before an item that was left out ("a [b]c" without b is "a c").
    fn sequence(&mut self, items: &[Item], way: &Way) -> Result<NodeId, String> {
        let is_optional: Vec<bool> = items.iter().map(|item| self.definitions.may_be_empty(&item.of)).collect();
        let first_needed = is_optional.iter().position(|optional| !optional).unwrap_or(items.len());
        // [nothing was said, a blank is owed] by number: what the way in is, for the item after the one at hand.
        let mut after = [[way.next; 2], [way.skip; 2]];
        for (index, item) in items.iter().enumerate().rev() {
            let next = after[0][0];
            let mut ways_in = [[next; 2]; 2];
            let mut known: Vec<(Way, NodeId)> = Vec::new();
            for (nothing_said, owed) in [(false, false), (false, true), (true, false), (true, true)] {
                let may_be_owed = index > 0 && is_optional[index - 1];
                let can_happen = if nothing_said { index <= first_needed } else { index > 0 };
                if !can_happen || owed && !may_be_owed {
                    continue;
                }
                let glued = match (index, nothing_said) {
                    (0, _) => way.glued,
                    (_, true) => way.glued && item.glued && !owed,
                    (_, false) => item.glued && !owed,
                };
                let skip = if is_optional[index] { after[usize::from(nothing_said)][usize::from(!glued)] } else { next };
                let item_way = Way { glued, next, skip, slot: way.slot };
                let entry = match known.iter().find(|(known, _)| *known == item_way) {
                    Some((_, entry)) => *entry,
                    None => self.expression(&item.of, &item_way)?,
                };
                known.push((item_way, entry));
                ways_in[usize::from(nothing_said)][usize::from(owed)] = entry;
            }
            after = ways_in;
        }
        Ok(after[1][0])
    }

    fn repeated(&mut self, repeated: &Repeated, way: &Way) -> Result<NodeId, String> {
        let mut at = way.next;
        for done in (0..repeated.at_most).rev() {
            let glued = if done == 0 { way.glued } else { repeated.glued };
            let round = self.expression(&repeated.of, &Way { glued, next: at, skip: at, slot: way.slot })?;
            let leave = if done == 0 { way.skip } else { way.next };
            at = if done >= repeated.at_least { self.split(vec![round, leave])? } else { round };
        }
        Ok(at)
    }

    /// A place for each set of members that were said, from the fullest to the empty one.
    fn any_order(&mut self, any_order: &AnyOrder, way: &Way) -> Result<NodeId, String> {
        let AnyOrder { members, between, at_least, at_most } = any_order;
        let mut places = vec![way.next; 1 << members.len()];
        for said in (0..places.len()).rev() {
            let count = said.count_ones() as usize;
            if count > *at_most {
                continue;
            }
            let mut ways = Vec::new();
            for (index, member) in members.iter().enumerate().filter(|(index, _)| said >> index & 1 == 0 && count < *at_most) {
                let next = places[said | 1 << index];
                ways.push(match between {
                    _ if said == 0 => self.expression(member, &Way { glued: way.glued, next, skip: next, slot: way.slot })?,
                    None => self.expression(member, &Way { glued: false, next, skip: next, slot: way.slot })?,
                    Some(between) => {
                        let member = self.expression(member, &Way { glued: false, next, skip: next, slot: way.slot })?;
                        self.expression(between, &Way { glued: false, next: member, skip: member, slot: way.slot })?
                    }
                });
            }
            if count >= *at_least {
                ways.push(if said == 0 { way.skip } else { way.next });
            }
            places[said] = self.split(ways)?;
        }
        Ok(places[0])
    }

    /// The tag comes before the word, so that words may share their ends.
    fn values(&mut self, values: &[(String, Expression)], way: &Way) -> Result<NodeId, String> {
        let mut ways = Vec::new();
        for (value, spelling) in values {
            let spelt = self.expression(spelling, way)?;
            ways.push(match way.slot {
                Some(slot) => {
                    let value = self.value(value);
                    self.node(Node::Tag(Tag { slot, value }, spelt))?
                }
                None => spelt,
            });
        }
        self.split(ways)
    }

    fn value(&mut self, value: &str) -> u32 {
        if let Some(&known) = self.value_ids.get(value) {
            return known;
        }
        let id = self.values.len() as u32;
        self.values.push(value.to_owned());
        self.value_ids.insert(value.to_owned(), id);
        id
    }
}

fn too_large() -> String {
    format!("the grammar is too large: it needs more than {NODES_MAX} nodes; use fewer parts in any order, or fewer repetitions")
}

#[cfg(test)]
mod tests {
    use super::super::{Grammar, Progress};

    fn grammar(say: &str, rest: &str) -> Grammar {
        let text = format!("name = \"x\"\n[[sentence]]\nintent = \"i\"\nsay = {say:?}\n{rest}");
        Grammar::parse(&text).unwrap_or_else(|e| panic!("{say}: {e}"))
    }

    #[track_caller]
    fn check(say: &str, accepted: &[&str], refused: &[&str]) {
        let grammar = grammar(say, "");
        let wrong = |text: &&&str, is_accepted: bool| grammar.read(text).is_some() != is_accepted;
        let missing: Vec<_> = accepted.iter().filter(|text| wrong(text, true)).collect();
        let excess: Vec<_> = refused.iter().filter(|text| wrong(text, false)).collect();
        assert!(missing.is_empty() && excess.is_empty(), "{say}: not accepted {missing:?}, accepted {excess:?}");
    }

    #[test]
    fn brackets_bars_and_marks_do_what_the_page_says() {
        check("a [b] (c|d e)[,] f", &["a c f", "a b c, f", "A B d e, f!", "a d e f."], &["a b f", "a cf", "a , c f", "a b, c f"]);
    }

    #[test]
    fn a_hyphen_is_a_blank_or_a_hyphen_and_never_a_second_blank() {
        check("dark[-]roast[ed]", &["dark roast", "dark-roast", "darkroasted"], &["dark  - roast", "dark", "dark roast ed"]);
        check("a - b", &["a - b"], &["a b", "a-b"]);
    }

    #[test]
    fn the_blank_before_a_group_is_the_blank_before_its_first_word() {
        check("a[b]c [d]e", &["abc e", "ac de", "ac e"], &["a bc e", "a c e", "abce"]);
        check("[a]b", &["ab", "b"], &["a b"]);
        check("x ([a]b)", &["x ab", "x b"], &["xab", "xb"]);
        check("x([a] b)", &["xa b", "x b"], &["xb", "xab"]);
        check("x[[a] [b] c] d", &["x d", "xa b c d", "xa c d", "x b c d", "x c d"], &["xb c d", "xc d", "x a c d"]);
        check("x [a] [b][c]d", &["x d", "x a bcd", "x a d", "x cd", "x bd"], &["xd", "x ad", "x a b d"]);
    }

    #[test]
    fn rounds_have_a_least_and_a_most() {
        check("a*2..3 b", &["a a b", "a a a b"], &["a b", "a a a a b", "aa b"]);
        check("x y*0..1", &["x", "x y"], &["x y y"]);
    }

    #[test]
    fn parts_in_any_order_come_once_each() {
        let rest = "[phrases]\nm = { any_order = [\"a\", \"b\", \"c\"], between = \"[,]\", at_least = 2 }";
        let grammar = grammar("x {m} [,] y", rest);
        for text in ["x a b y", "x b, a, y", "x c a, b y"] {
            assert_eq!(grammar.progress(text), Progress::Final, "{text}");
        }
        for text in ["x a y", "x a a y", "x , a b y", "x a b c a y"] {
            assert_eq!(grammar.progress(text), Progress::Impossible, "{text}");
        }
        assert_eq!(grammar.report(0).texts, (6.0 * 4.0 + 6.0 * 8.0) * 4.0, "orders, commas, marks at the end");
    }

    #[test]
    fn names_that_multiply_each_other_are_refused_soon() {
        let levels: String = (0..12).map(|i| format!("n{i} = \"{}\"\n", format!("{{n{}}} ", i + 1).repeat(30))).collect();
        let text = format!("name = \"x\"\n[[sentence]]\nintent = \"i\"\nsay = \"{{n0}}\"\n[phrases]\n{levels}n12 = \"x\"");
        assert!(Grammar::parse(&text).expect_err("accepted").reason.contains("too large"));
    }
}
