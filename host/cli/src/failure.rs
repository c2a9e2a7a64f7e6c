//! How a call ends, which exit code tells it, and what is said about errors.

use std::fmt;

/// What a command that did its work found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All is well: exit code 0.
    Good,
    /// It is not, and the command has said why: exit code 1.
    Bad,
    /// What ran in a guest has ended with this status: the same exit code.
    Status(u8),
}

/// A wrong word on the command line that clap cannot know: exit code 2. Every
/// other error has exit code 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// An error with its causes as one text. Causes that a message already repeats
/// are left out.
pub(crate) fn message(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |text, cause| {
        let cause = cause.to_string();
        match text.as_str() {
            "" => cause,
            said if said.contains(&cause) => text,
            _ => format!("{text}: {cause}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::message;

    #[test]
    fn causes_follow_once() {
        let error = anyhow!("no such file").context("cannot read a: no such file").context("image");
        assert_eq!(message(&error), "image: cannot read a: no such file");
        assert_eq!(message(&anyhow!("alone")), "alone");
    }
}
