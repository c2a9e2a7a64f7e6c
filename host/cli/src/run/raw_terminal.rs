//! The terminal while it belongs to the guest: every key comes at once and as
//! it is, Ctrl-C too.

use std::os::fd::OwnedFd;

use anyhow::{Context, Result};
use rustix::termios::{OptionalActions, OutputModes, Termios, tcgetattr, tcsetattr};

/// A terminal in raw mode. It is as before when this is dropped, also while a
/// panic is under way.
pub(super) struct RawTerminal {
    terminal: OwnedFd,
    before: Termios,
}

impl RawTerminal {
    /// Switches `terminal`.
    ///
    /// # Errors
    ///
    /// It is no terminal.
    pub(super) fn enter(terminal: OwnedFd) -> Result<Self> {
        let before = tcgetattr(&terminal).context("the terminal does not answer")?;
        let mut raw = before.clone();
        raw.make_raw();
        // Lines of our own end with a line feed alone. The guest's end with
        // both, which does no harm.
        raw.output_modes |= OutputModes::OPOST & before.output_modes;
        let switched = tcsetattr(&terminal, OptionalActions::Now, &raw);
        switched.context("the terminal cannot be switched to raw mode")?;
        Ok(Self { terminal, before })
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing more.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::os::fd::OwnedFd;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use anyhow::Result;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, tcgetattr};

    use super::RawTerminal;

    /// Both ends of a terminal; the first keeps it alive.
    fn terminal() -> Result<(OwnedFd, OwnedFd)> {
        let keeper = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&keeper)?;
        unlockpt(&keeper)?;
        let name = ptsname(&keeper, Vec::new())?.into_string()?;
        let terminal = OpenOptions::new().read(true).write(true).open(name)?;
        Ok((keeper, terminal.into()))
    }

    fn modes(terminal: &OwnedFd) -> Result<LocalModes> {
        Ok(tcgetattr(terminal)?.local_modes)
    }

    #[test]
    fn is_as_before_afterwards() -> Result<()> {
        let (_keeper, terminal) = terminal()?;
        let before = modes(&terminal)?;
        assert!(before.contains(LocalModes::ISIG | LocalModes::ICANON | LocalModes::ECHO));
        let raw = RawTerminal::enter(terminal.try_clone()?)?;
        let during = modes(&terminal)?;
        assert!(!during.intersects(LocalModes::ISIG | LocalModes::ICANON | LocalModes::ECHO));
        drop(raw);
        assert_eq!(modes(&terminal)?, before);
        Ok(())
    }

    #[test]
    fn is_as_before_after_a_panic() -> Result<()> {
        let (_keeper, terminal) = terminal()?;
        let before = modes(&terminal)?;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _raw = RawTerminal::enter(terminal.try_clone().unwrap());
            assert_ne!(modes(&terminal).unwrap(), before);
            panic!("on purpose");
        }));
        assert!(panicked.is_err());
        assert_eq!(modes(&terminal)?, before);
        Ok(())
    }

    #[test]
    fn a_pipe_is_no_terminal() -> Result<()> {
        let (reader, _writer) = std::io::pipe()?;
        assert!(RawTerminal::enter(reader.into()).is_err());
        Ok(())
    }
}
