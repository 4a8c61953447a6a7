//! What is known of a payload between two steps: which fields it has, and of which types.

use crate::model::{OldField, OldShape, ValueType};
use crate::spec::Span;

/// A value of the payload.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Scalar {
        /// Unknown where a type was reported as wrong.
        value_type: Option<ValueType>,
        optional: bool,
        /// What last said something of it.
        span: Span,
    },
    Object(Members, Span),
    /// The fields of a list's items.
    List(Members, Span),
}

/// The members of an object, by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Members(pub Vec<(String, Node)>);

impl Node {
    pub fn span(&self) -> Span {
        match self {
            Self::Scalar { span, .. } | Self::Object(_, span) | Self::List(_, span) => *span,
        }
    }

    /// What it is, for a sentence.
    pub fn show(&self) -> String {
        match self {
            Self::Scalar { value_type, .. } => {
                value_type.map_or_else(|| "a value".to_owned(), super::types::show)
            }
            Self::Object(..) => "an object".to_owned(),
            Self::List(..) => "a list".to_owned(),
        }
    }
}

impl Members {
    /// The value that this path leads to.
    pub fn get(&self, path: &[String]) -> Option<&Node> {
        let (name, rest) = path.split_first()?;
        let (_, node) = self.0.iter().find(|(known, _)| known == name)?;
        match (rest, node) {
            ([], node) => Some(node),
            (rest, Node::Object(members, _)) => members.get(rest),
            _ => None,
        }
    }

    pub fn get_mut(&mut self, path: &[String]) -> Option<&mut Node> {
        let (name, rest) = path.split_first()?;
        let (_, node) = self.0.iter_mut().find(|(known, _)| known == name)?;
        match (rest, node) {
            ([], node) => Some(node),
            (rest, Node::Object(members, _)) => members.get_mut(rest),
            _ => None,
        }
    }

    /// Takes the value that this path leads to; an object that is empty then goes with it.
    pub fn take(&mut self, path: &[String]) -> Option<Node> {
        let (name, rest) = path.split_first()?;
        let at = self.0.iter().position(|(known, _)| known == name)?;
        if rest.is_empty() {
            return Some(self.0.remove(at).1);
        }
        let Some((_, Node::Object(members, _))) = self.0.get_mut(at) else { return None };
        let taken = members.take(rest)?;
        if members.0.is_empty() {
            self.0.remove(at);
        }
        Some(taken)
    }

    /// Puts a value where this path leads; objects on the way are made. Gives it back where something stands there.
    pub fn put(&mut self, path: &[String], node: Node) -> Result<(), Node> {
        let Some((name, rest)) = path.split_first() else { return Err(node) };
        let found = self.0.iter_mut().find(|(known, _)| known == name).map(|(_, node)| node);
        match (rest, found) {
            ([], None) => self.0.push((name.clone(), node)),
            (rest, Some(Node::Object(members, _))) if !rest.is_empty() => return members.put(rest, node),
            (rest, None) => {
                let (mut members, span) = (Self::default(), node.span());
                members.put(rest, node)?;
                self.0.push((name.clone(), Node::Object(members, span)));
            }
            _ => return Err(node),
        }
        Ok(())
    }

    /// All paths to scalars and lists, for a hint.
    pub fn paths(&self) -> Vec<String> {
        let path = |(name, node): &(String, Node)| match node {
            Node::Object(members, _) => {
                members.paths().into_iter().map(|rest| format!("{name}.{rest}")).collect()
            }
            _ => vec![name.clone()],
        };
        self.0.iter().flat_map(path).collect()
    }
}

/// The same without places, for the model.
pub(super) fn old_fields(members: &Members) -> Vec<OldField> {
    let field = |(name, node): &(String, Node)| {
        let shape = match node {
            Node::Scalar { value_type, optional, .. } => {
                OldShape::Scalar { value_type: super::types::or_any(*value_type), optional: *optional }
            }
            Node::Object(members, _) => OldShape::Object(old_fields(members)),
            Node::List(..) => return None,
        };
        Some(OldField { name: name.clone(), shape })
    };
    members.0.iter().filter_map(field).collect()
}
