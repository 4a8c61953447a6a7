//! One line → its JSON tokens: is this exactly RFC 8259, narrowed by I-JSON (RFC 7493)?
//!
//! Our own scanner, because a line must be judged, not only read. sonic-rs 0.5 lets lone surrogates
//! pass where it is lazy, refuses 1e400 where it is not, and dies of stack overflow at a nesting of
//! 100,000; serde_json takes the last of two equal keys and loses the text of a number. None of them
//! says *which* rule a line broke, and that is what a reject is for.
//!
//! Never: panic, recurse beyond the declared depth, replace a character, or round a number.

mod line;
mod normal;
mod number;
mod scanner;
mod text;
mod tree;
mod value;

pub use line::{looks_pretty_printed, whole_object};
pub use number::Number;
pub use scanner::{Scanner, Scratch, Token};
pub use text::Text;
pub use tree::{Members, Tree, quoted, text_of};
