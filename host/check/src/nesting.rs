//! How deep a Rust source makes a parser go.
//!
//! The parser and everything that walks its result work by recursion, and the
//! stack they need must not depend on what a file says: a hundred thousand
//! brackets or minus signs in a row are a problem to report, not a crash. The
//! depth is counted on tokens, without recursion, and errs on the high side;
//! what is accepted fits into the stack that [`with_room`] gives.

use std::io;
use std::panic;
use std::thread;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Deepest nesting that is accepted. Usual code stays below a third of it.
pub(crate) const MAX_DEPTH: usize = 1000;

/// What one pair of brackets counts. Every other token counts one.
const BRACKET_DEPTH: usize = 10;

/// Bytes of stack that the deepest accepted source fits into. Measured without
/// optimisation, the worst shapes take 4 MiB: a long row of unary operators, or
/// of assignments.
const STACK_SIZE: usize = 16 << 20;

/// Does `work` in a thread that has room for the deepest accepted source,
/// whatever the caller's stack is.
///
/// # Errors
///
/// The system has no room for the thread.
pub(crate) fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, work)?;
        Ok(worker.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked)))
    })
}

/// The line of the first token that lies too deep, if there is one.
///
/// Each token may go one level deeper than the one before (an operator, a
/// generic argument, an `else`), until a `;`, a `,` or the end of a block
/// leads back to where its brackets began.
pub(crate) fn too_deep(tokens: &TokenStream) -> Option<usize> {
    let mut streams = vec![(tokens.clone(), 0)];
    while let Some((stream, base)) = streams.pop() {
        let mut depth = base;
        let mut before = ' ';
        let mut tokens = stream.into_iter().peekable();
        while let Some(token) = tokens.next() {
            // The `#`, `!` and `[…]` of attributes and doc comments stand in
            // rows as long as one likes.
            let is_attribute = match mark(&token) {
                '#' => true,
                '!' => before == '#',
                _ => matches!(before, '#' | '!') && is_brackets(&token),
            };
            before = mark(&token);
            if !is_attribute {
                depth += 1;
            }
            if let TokenTree::Group(group) = &token {
                streams.push((group.stream(), depth + BRACKET_DEPTH));
            }
            if depth > MAX_DEPTH {
                return Some(token.span().start().line);
            }
            if matches!(before, ';' | ',') || ends_block(&token, tokens.peek()) {
                depth = base;
            }
        }
    }
    None
}

fn is_brackets(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

/// The token's character, if it is punctuation.
fn mark(token: &TokenTree) -> char {
    match token {
        TokenTree::Punct(mark) => mark.as_char(),
        TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => ' ',
    }
}

/// Whether `token` is a block and `next` starts something new: no `else`, and
/// no operator that takes the block as its operand.
fn ends_block(token: &TokenTree, next: Option<&TokenTree>) -> bool {
    let is_block =
        matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    is_block
        && match next {
            Some(TokenTree::Ident(word)) => word != "else",
            Some(TokenTree::Punct(mark)) => mark.as_char() == '#',
            Some(TokenTree::Group(_) | TokenTree::Literal(_)) | None => true,
        }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BRACKET_DEPTH, MAX_DEPTH, too_deep};

    fn is_too_deep(text: &str) -> bool {
        too_deep(&text.parse().unwrap()).is_some()
    }

    #[test]
    fn what_goes_deeper_is_limited() {
        let deep = [
            ("(", "1", ")"),
            ("!", "1", ""),
            ("1+", "1", ""),
            ("{}+", "1", ""),
            ("if a {} else ", "{}", ""),
            ("A<", "B", ">"),
            ("|a| ", "1", ""),
            (".a()", "", ""),
            ("(-", "1", ")"),
            ("{ - ", "1", "}"),
            ("!#[a]", "1", ""),
        ];
        for (open, inner, close) in deep {
            let text = |n| format!("{}{inner}{}", open.repeat(n), close.repeat(n));
            assert!(!is_too_deep(&text(20)), "{open}");
            assert!(is_too_deep(&text(MAX_DEPTH + 1)), "{open}");
        }
    }

    #[test]
    fn the_line_is_that_of_the_limit() {
        let text = format!("a;\n{}\n!1", "!".repeat(MAX_DEPTH));
        assert_eq!(too_deep(&text.parse().unwrap()), Some(3));
        let text = format!("a\n{}\n{}", "(".repeat(99), ")".repeat(99));
        assert_eq!(too_deep(&text.parse().unwrap()), Some(2));
    }

    proptest! {
        #[test]
        fn what_stands_side_by_side_is_not(
            piece in "#\\[a\\] |#!\\[a\\]|fn a\\(\\) \\{\\} |a, |a; |/// a\n|if a \\{\\} |\\{\\} |A => \\{\\} ",
            count in 0..5000usize,
        ) {
            prop_assert!(!is_too_deep(&piece.repeat(count)));
        }

        #[test]
        fn brackets_count_more(depth in 0..2 * MAX_DEPTH / BRACKET_DEPTH) {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            let limit = MAX_DEPTH / (BRACKET_DEPTH + 1);
            prop_assume!(depth.abs_diff(limit) > 1);
            prop_assert_eq!(is_too_deep(&text), depth > limit);
        }
    }
}
