//! A value → the one way to write it, whatever its spaces, the order of its keys, and how its texts and numbers stood.

use super::{Scanner, Token, quoted};
use crate::log::reject::Flaw;

impl Scanner<'_> {
    /// Writes the value at the cursor, inside containers of this depth, as every value that equals it is written.
    pub fn normal(&mut self, depth: u32, out: &mut Vec<u8>) -> Result<(), Flaw> {
        let start = self.at();
        match self.token()? {
            Token::Text(text) => out.extend_from_slice(&quoted(&String::from_utf8_lossy(&text.value()))),
            Token::Number(number) => number.write_normal(out),
            Token::Boolean(_) | Token::Null => out.extend_from_slice(self.since(start)),
            Token::Container if self.peek() == Some(b'{') => {
                self.enter(depth + 1)?;
                let (mut members, mut count) = (Vec::new(), 0);
                while let Some(key) = self.next_key(&mut count)? {
                    let mut member = quoted(&String::from_utf8_lossy(&key.value()));
                    member.push(b':');
                    self.normal(depth + 1, &mut member)?;
                    members.push(member);
                }
                members.sort_unstable();
                out.push(b'{');
                out.extend_from_slice(&members.join(&b','));
                out.push(b'}');
            }
            Token::Container => {
                self.enter(depth + 1)?;
                out.push(b'[');
                let begin = out.len();
                while self.next_item(out.len() == begin)? {
                    if out.len() > begin {
                        out.push(b',');
                    }
                    self.normal(depth + 1, out)?;
                }
                out.push(b']');
            }
        }
        Ok(())
    }
}
