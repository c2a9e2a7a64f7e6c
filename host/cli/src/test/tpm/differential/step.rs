//! One command for both sides, and what has to be the same in the answers.

use svsm_tpm::message::{Command, Response};

use super::compare::{Compare, agree};
use super::model::Model;

/// What the model learns from both responses if they are successes.
pub(super) type Learn = Box<dyn FnOnce(&mut Model, [&[u8]; 2])>;

/// What a client makes of the successful response of one side (0: ours): one
/// without sessions. None if the response does not prove itself.
pub(super) type Open = Box<dyn Fn(usize, &[u8]) -> Option<Vec<u8>>>;

/// One command.
pub(super) struct Step {
    /// For our side and for theirs. They differ where keys and blobs do.
    pub(super) commands: [Vec<u8>; 2],
    pub(super) compare: Compare,
    pub(super) learn: Option<Learn>,
    /// How responses with sessions are opened.
    open: Option<Open>,
}

impl Step {
    /// The same command for both.
    pub(super) fn new(command: &Command, compare: Compare) -> Self {
        Self { commands: [command.bytes(), command.bytes()], compare, learn: None, open: None }
    }

    /// A command for each.
    pub(super) fn pair(commands: &[Command; 2], compare: Compare) -> Self {
        Self {
            commands: [commands[0].bytes(), commands[1].bytes()],
            compare,
            learn: None,
            open: None,
        }
    }

    /// Bytes for each that may be no command.
    pub(super) fn raw(commands: [Vec<u8>; 2], compare: Compare) -> Self {
        Self { commands, compare, learn: None, open: None }
    }

    /// With something to learn.
    pub(super) fn learn(self, learn: impl FnOnce(&mut Model, [&[u8]; 2]) + 'static) -> Self {
        Self { learn: Some(Box::new(learn)), ..self }
    }

    /// With responses that have to be opened first.
    pub(super) fn open(self, open: impl Fn(usize, &[u8]) -> Option<Vec<u8>> + 'static) -> Self {
        Self { open: Some(Box::new(open)), ..self }
    }

    /// Whether the responses to it agree.
    pub(super) fn agrees(&self, [ours, theirs]: [&[u8]; 2]) -> bool {
        let succeeded = |one| Response::parse(one).is_some_and(|response| response.code == 0);
        match &self.open {
            Some(open) if succeeded(ours) && succeeded(theirs) => {
                let opened = (open(0, ours), open(1, theirs));
                matches!(opened, (Some(one), Some(two)) if agree(self.compare, &one, &two))
            }
            _ => agree(self.compare, ours, theirs),
        }
    }
}
