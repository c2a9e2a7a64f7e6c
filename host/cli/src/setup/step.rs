//! What a step of the set-up is.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::machine::Machine;
use crate::log::Log;
use crate::session::Network;

/// Something that commands need and that set-up can find or provide.
pub(crate) trait Step {
    /// Short name, also that of its log.
    fn name(&self) -> String;

    /// What it is, in a few words.
    fn purpose(&self) -> String;

    /// Looks whether it is there. Touches neither network nor files.
    ///
    /// # Errors
    ///
    /// What is there cannot be judged.
    fn find(&self, machine: &Machine) -> Result<Option<Found>>;

    /// Ways of providing it on this machine, the best first. Decides only from
    /// the facts in `machine`.
    ///
    /// # Errors
    ///
    /// There is no way: what a person can do instead.
    fn ways<'a>(&'a self, machine: &'a Machine) -> Result<Vec<Way<'a>>, Remedy>;
}

/// Something that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The file or folder that other commands use.
    pub(crate) path: PathBuf,
    /// Its version or origin, for people.
    pub(crate) detail: String,
}

impl Found {
    /// What is in `folder`, where the file `version` is written last: whole if that
    /// is there.
    pub(super) fn with_version(path: PathBuf, folder: &Path) -> Option<Self> {
        let version = std::fs::read_to_string(folder.join("version")).ok()?;
        Some(Self { path, detail: version.trim_end().to_owned() })
    }
}

/// What to do by hand where set-up can do nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remedy(pub(crate) String);

/// What a [`Way`] does; programs' output goes into the log.
type Work<'a> = Box<dyn Fn(&mut Log) -> Result<()> + 'a>;

/// One way of providing what a step is for.
pub(crate) struct Way<'a> {
    /// What is done, as one sentence without a full stop.
    pub(crate) how: String,
    reach: Reach,
    work: Work<'a>,
}

/// How far a way goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// It may use the network.
    Network,
    /// It stays on this machine.
    Machine,
}

impl<'a> Way<'a> {
    /// A way that `work` goes, which may use the network.
    pub(crate) fn new(how: impl Into<String>, work: impl Fn(&mut Log) -> Result<()> + 'a) -> Self {
        Self { how: how.into(), reach: Reach::Network, work: Box::new(work) }
    }

    /// A way that `work` goes without the network.
    pub(crate) fn without_network(
        how: impl Into<String>,
        work: impl Fn(&mut Log) -> Result<()> + 'a,
    ) -> Self {
        Self { how: how.into(), reach: Reach::Machine, work: Box::new(work) }
    }

    /// Whether it can be gone with such a network.
    pub(crate) fn is_open(&self, network: Network) -> bool {
        network == Network::Allowed || self.reach == Reach::Machine
    }

    /// Goes this way.
    ///
    /// # Errors
    ///
    /// What stopped it.
    pub(crate) fn go(&self, log: &mut Log) -> Result<()> {
        (self.work)(log)
    }
}
