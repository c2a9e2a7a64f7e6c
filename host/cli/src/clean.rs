//! `svsm clean`: deletes what the other commands have made.

use std::io::{IsTerminal, Write};

use anyhow::{Context, Result, bail};

use crate::cache::Cache;
use crate::failure::{Usage, Verdict};
use crate::session::Session;
use crate::workspace::Workspace;

/// Arguments of `svsm clean`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm clean
  cargo svsm clean --cache --yes

What cargo itself has built stays; `cargo clean` deletes that, too.")]
pub(crate) struct Arguments {
    /// Also delete the cache of what set-up has fetched and built
    #[arg(long)]
    cache: bool,
    /// Do not ask before the cache is deleted
    #[arg(long, requires = "cache")]
    yes: bool,
}

/// Runs the command.
///
/// # Errors
///
/// Something cannot be deleted, or nobody is there to be asked.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    let output = Workspace::find()?.output();
    if output.exists() {
        std::fs::remove_dir_all(&output)
            .with_context(|| format!("cannot delete {}", output.display()))?;
        session.terminal.line(&format!("deleted {}", output.display()))?;
    }
    let cache = Cache::locate()?;
    if !arguments.cache || !cache.root().exists() {
        return Ok(Verdict::Good);
    }
    if !arguments.yes && !confirmed(&cache)? {
        session.terminal.line("the cache stays")?;
        return Ok(Verdict::Bad);
    }
    // Not under the feet of a set-up that is at work.
    let lock = cache.lock(session.terminal)?;
    cache.delete()?;
    drop(lock);
    session.terminal.line(&format!("deleted {}", cache.root().display()))?;
    Ok(Verdict::Good)
}

fn confirmed(cache: &Cache) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!(Usage("nobody is there to be asked: add --yes to delete the cache".to_owned()));
    }
    eprint!("delete {}? [y/N] ", cache.root().display());
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
