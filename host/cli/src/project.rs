//! The source tree together with what is needed to work on it.

use anyhow::Result;

use crate::session::Session;
use crate::setup::Toolbox;
use crate::workspace::Workspace;

/// What most commands start from.
pub(crate) struct Project {
    pub(crate) workspace: Workspace,
    pub(crate) toolbox: Toolbox,
    pub(crate) session: Session,
}

impl Project {
    /// Finds the tree around the current folder and looks at the machine.
    ///
    /// # Errors
    ///
    /// There is no tree, or no compiler answers.
    pub(crate) fn open(session: Session) -> Result<Self> {
        let workspace = Workspace::find()?;
        let toolbox = Toolbox::open(workspace.root(), session)?;
        Ok(Self { workspace, toolbox, session })
    }
}
