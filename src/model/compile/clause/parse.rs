//! Tokens → a tree, by descent: OR, AND, NOT, one comparison, `+ -`, `*`, a sign, a cast, an atom.

use super::token::{Token, tokens};
use super::{Mistake, Node, What};
use crate::model::{Arithmetic, Comparison};
use std::ops::Range;

const LONGEST_BYTES: usize = 10_000;
/// Deeper nesting than this is no condition, and could exhaust the stack.
const DEEPEST: usize = 50;
const EXPECTED: &str = "a name, a value, `(` or a function";
/// Words that go on with an expression, and begin none.
const RESERVED: [&str; 12] =
    ["AND", "OR", "NOT", "IN", "IS", "LIKE", "ILIKE", "BETWEEN", "CASE", "SELECT", "EXISTS", "FROM"];

/// Reads a whole text as one expression.
pub fn parse(text: &str) -> Result<Node, Mistake> {
    if text.len() > LONGEST_BYTES {
        let hint = format!("no more than {LONGEST_BYTES} bytes");
        return Err(Mistake::new(0..text.len(), "the expression is too long", hint));
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let node = parser.any()?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => Err(parser.unexpected("AND, OR or the end")),
    }
}

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn any(&mut self) -> Result<Node, Mistake> {
        self.chain("OR", Self::all, What::Any)
    }

    fn all(&mut self) -> Result<Node, Mistake> {
        self.chain("AND", Self::negated, What::All)
    }

    fn chain(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Result<Node, Mistake>,
        make: fn(Vec<Node>) -> What,
    ) -> Result<Node, Mistake> {
        let first = part(self)?;
        let mut parts = vec![first];
        while self.take_word(word) {
            parts.push(part(self)?);
        }
        match <[Node; 1]>::try_from(parts) {
            Ok([only]) => Ok(only),
            Err(parts) => {
                let start = parts.first().map_or(0, |part| part.place.start);
                Ok(self.node(start, make(parts)))
            }
        }
    }

    fn negated(&mut self) -> Result<Node, Mistake> {
        let start = self.start();
        if self.take_word("NOT") {
            let inner = self.deeper(Self::negated)?;
            return Ok(self.node(start, What::Not(Box::new(inner))));
        }
        self.comparison()
    }

    /// One comparison at most: `a = b = c` means what few people think.
    fn comparison(&mut self) -> Result<Node, Mistake> {
        let start = self.start();
        let left = self.sum()?;
        let compared = self.compared(left)?;
        let node = match compared {
            Ok(what) => self.node(start, what),
            Err(same) => return Ok(same),
        };
        if comparison_of(self.peek()).is_some() || self.is_word(&["IS", "IN", "LIKE", "ILIKE", "BETWEEN"]) {
            return Err(self.mistake("a second comparison in a row", "say with parentheses what is compared"));
        }
        Ok(node)
    }

    /// What follows a value: a comparison, or nothing of the kind, and the value comes back.
    fn compared(&mut self, left: Node) -> Result<Result<What, Node>, Mistake> {
        let term = Box::new(left);
        if let Some(operator) = comparison_of(self.peek()) {
            self.next += 1;
            let right = Box::new(self.sum()?);
            return Ok(Ok(What::Compare(operator, term, right)));
        }
        if self.take_word("IS") {
            let negated = self.take_word("NOT");
            if !self.take_word("NULL") {
                return Err(self.mistake("only NULL can follow IS here", "write `= true`, or `IS NOT NULL`"));
            }
            return Ok(Ok(What::IsNull { term, negated }));
        }
        let negated = self.is_word(&["NOT"]);
        self.next += usize::from(negated);
        if self.take_word("IN") {
            self.expect("(")?;
            let list = self.list()?;
            return Ok(Ok(What::In { term, list, negated }));
        }
        if self.take_word("BETWEEN") {
            let low = Box::new(self.sum()?);
            if !self.take_word("AND") {
                return Err(self.unexpected("AND, between the two ends of BETWEEN"));
            }
            let high = Box::new(self.sum()?);
            return Ok(Ok(What::Between { term, low, high, negated }));
        }
        let ignores_case = self.is_word(&["ILIKE"]);
        if self.take_word("LIKE") || self.take_word("ILIKE") {
            let pattern = Box::new(self.sum()?);
            return Ok(Ok(What::Like { term, pattern, ignores_case, negated }));
        }
        match negated {
            true => Err(self.unexpected("IN, BETWEEN or LIKE after NOT")),
            false => Ok(Err(*term)),
        }
    }

    fn sum(&mut self) -> Result<Node, Mistake> {
        let start = self.start();
        let mut left = self.factors()?;
        loop {
            let operator = match self.peek() {
                Token::Sign("+") => Arithmetic::Add,
                Token::Sign("-") => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            self.next += 1;
            let right = self.factors()?;
            left = self.node(start, What::Arithmetic(operator, Box::new(left), Box::new(right)));
        }
    }

    fn factors(&mut self) -> Result<Node, Mistake> {
        let start = self.start();
        let mut left = self.signed()?;
        loop {
            match self.peek() {
                Token::Sign("*") => self.next += 1,
                Token::Sign("/" | "//" | "%") => {
                    return Err(self.mistake(
                        "there is no division: its result is not exact",
                        "multiply the other side of the comparison instead",
                    ));
                }
                Token::Sign("||") => {
                    return Err(
                        self.mistake("texts cannot be put together here", "compare the parts one by one")
                    );
                }
                _ => return Ok(left),
            }
            let right = self.signed()?;
            left = self.node(start, What::Arithmetic(Arithmetic::Multiply, Box::new(left), Box::new(right)));
        }
    }

    fn signed(&mut self) -> Result<Node, Mistake> {
        let start = self.start();
        if self.take("-") {
            let inner = self.deeper(Self::signed)?;
            return Ok(self.node(start, What::Negate(Box::new(inner))));
        }
        let mut node = self.deeper(Self::atom)?;
        while self.take("::") {
            let named = self.type_name()?;
            node = self.node(start, What::Cast(Box::new(node), named));
        }
        Ok(node)
    }

    fn atom(&mut self) -> Result<Node, Mistake> {
        let start = self.start();
        let what = match self.peek().clone() {
            Token::Number(text) => self.taken(What::Number(text)),
            Token::Text(text) => self.taken(What::Text(text)),
            Token::Sign("(") => {
                self.next += 1;
                let inner = self.any()?;
                self.expect(")")?;
                return Ok(Node { place: start..self.end(), what: inner.what });
            }
            Token::Quoted(_) => self.name()?,
            Token::Word(word) => match word.to_uppercase().as_str() {
                "TRUE" => self.taken(What::Boolean(true)),
                "FALSE" => self.taken(What::Boolean(false)),
                "NULL" => self.taken(What::Null),
                "CAST" if self.follows("(") => {
                    self.next += 2;
                    let inner = Box::new(self.any()?);
                    if !self.take_word("AS") {
                        return Err(self.unexpected("AS and a type"));
                    }
                    let named = self.type_name()?;
                    self.expect(")")?;
                    What::Cast(inner, named)
                }
                typed @ ("DATE" | "TIMESTAMP") if matches!(self.ahead(), Token::Text(_)) => {
                    let Token::Text(text) = self.ahead().clone() else {
                        return Err(self.unexpected("a text"));
                    };
                    self.next += 2;
                    What::Typed(typed.to_owned(), text)
                }
                reserved if RESERVED.contains(&reserved) && !self.follows(".") => {
                    return Err(self.unexpected(EXPECTED));
                }
                _ if self.follows("(") => {
                    self.next += 2;
                    What::Call(word.to_lowercase(), self.list()?)
                }
                _ => self.name()?,
            },
            _ => return Err(self.unexpected(EXPECTED)),
        };
        Ok(self.node(start, what))
    }

    fn name(&mut self) -> Result<What, Mistake> {
        let mut parts = Vec::new();
        loop {
            match self.peek().clone() {
                Token::Word(part) | Token::Quoted(part) => parts.push(part),
                _ => return Err(self.unexpected("a name after the point")),
            }
            self.next += 1;
            if !self.take(".") {
                return Ok(What::Name(parts));
            }
        }
    }

    /// Up to `)`; `*` alone is no argument, as in `count(*)`.
    fn list(&mut self) -> Result<Vec<Node>, Mistake> {
        let mut list = Vec::new();
        if self.take(")") {
            return Ok(list);
        }
        if matches!(self.peek(), Token::Sign("*")) && matches!(self.ahead(), Token::Sign(")")) {
            self.next += 2;
            return Ok(list);
        }
        loop {
            list.push(self.any()?);
            if !self.take(",") {
                self.expect(")")?;
                return Ok(list);
            }
        }
    }

    /// A type is a word; whatever digits it has are read over.
    fn type_name(&mut self) -> Result<String, Mistake> {
        let Token::Word(named) = self.peek().clone() else { return Err(self.unexpected("a type")) };
        self.next += 1;
        if self.take("(") {
            self.list()?;
        }
        Ok(named.to_lowercase())
    }

    fn deeper(&mut self, part: fn(&mut Self) -> Result<Node, Mistake>) -> Result<Node, Mistake> {
        if self.depth >= DEEPEST {
            return Err(self.mistake("the expression is nested too deeply", "say it with fewer parentheses"));
        }
        self.depth += 1;
        let node = part(self);
        self.depth -= 1;
        node
    }

    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    fn ahead(&self) -> &Token {
        self.tokens.get(self.next + 1).map_or(&Token::End, |(token, _)| token)
    }

    fn follows(&self, sign: &str) -> bool {
        matches!(self.ahead(), Token::Sign(next) if *next == sign)
    }

    fn is_word(&self, words: &[&str]) -> bool {
        matches!(self.peek(), Token::Word(word) if words.iter().any(|known| word.eq_ignore_ascii_case(known)))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(&[word]);
        self.next += usize::from(found);
        found
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(next) if *next == sign);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), Mistake> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn taken(&mut self, what: What) -> What {
        self.next += 1;
        what
    }

    fn start(&self) -> usize {
        self.tokens.get(self.next).map_or(0, |(_, place)| place.start)
    }

    /// Where the token before ends.
    fn end(&self) -> usize {
        let before = self.next.checked_sub(1).and_then(|before| self.tokens.get(before));
        before.map_or(0, |(_, place)| place.end)
    }

    fn node(&self, start: usize, what: What) -> Node {
        Node { place: start..self.end(), what }
    }

    fn mistake(&self, message: &str, hint: &str) -> Mistake {
        let place = self.tokens.get(self.next).map_or(0..0, |(_, place)| place.clone());
        Mistake::new(place, message, hint)
    }

    fn unexpected(&self, expected: &str) -> Mistake {
        let hint =
            "it is read as SQL reads an expression: comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL";
        self.mistake(&format!("expected {expected}"), hint)
    }
}

fn comparison_of(token: &Token) -> Option<Comparison> {
    let Token::Sign(sign) = token else { return None };
    Some(match *sign {
        "=" | "==" => Comparison::Equal,
        "<>" | "!=" => Comparison::Unequal,
        "<" => Comparison::Less,
        "<=" => Comparison::AtMost,
        ">" => Comparison::Greater,
        ">=" => Comparison::AtLeast,
        _ => return None,
    })
}
