//! `svsm doc`: the book and the documentation of all crates as one site that
//! needs no network.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::failure::Verdict;
use crate::log::Log;
use crate::module;
use crate::process;
use crate::project::Project;
use crate::session::Session;
use crate::setup::TARGET;
use crate::workspace::{Package, Workspace, World};

/// Folder of the site with the crates as they are built for this machine, and
/// below it the folder with those that only exist for bare metal.
const HOST_FOLDER: &str = "api";
const BARE_METAL_FOLDER: &str = "bare-metal";

/// Arguments of `svsm doc`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm doc
  cargo svsm doc --open

The site is target/svsm/site: the book at index.html, the crates' documentation
at api/index.html. It links to nothing that is not part of it, except on
purpose, and works from a file system.")]
pub(crate) struct Arguments {
    /// Show the site in a browser
    #[arg(long)]
    open: bool,
}

/// Runs the command.
///
/// # Errors
///
/// The book or a crate cannot be documented.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    let project = Project::open(session)?;
    let mut log = Log::create(project.workspace.output().join("doc.log"))?;
    let spinner = session.terminal.busy("book and API documentation");
    let result = site(&project, &mut log);
    drop(spinner);
    let index = match result {
        Ok(index) => index,
        Err(error) => {
            session.terminal.line(&log.tail(40)?)?;
            return Err(error.context(format!("see {}", log.path().display())));
        }
    };
    session.terminal.line(&format!("{}", index.display()))?;
    if arguments.open {
        open(&index)?;
    }
    Ok(Verdict::Good)
}

/// Makes the site and gives the path of its first page. Programs' output goes
/// into the log.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn site(project: &Project, log: &mut Log) -> Result<PathBuf> {
    let workspace = &project.workspace;
    let site = workspace.output().join("site");
    // A page that is no longer made must not stay.
    if site.exists() {
        std::fs::remove_dir_all(&site)
            .with_context(|| format!("cannot delete {}", site.display()))?;
    }
    let mut book = Command::new(project.toolbox.mdbook()?);
    book.arg("build").arg(workspace.root().join("docs")).arg("--dest-dir").arg(&site);
    log.run(&mut book)?;

    let mut host = workspace.cargo("doc", project.session.network);
    log.run(host.arg("--no-deps").args(workspace.select(World::Host)))?;
    let mut bare = module::cargo(project, "doc")?;
    log.run(bare.arg("--no-deps").args(workspace.select(World::OnlyBareMetal)))?;
    let api = site.join(HOST_FOLDER);
    copy(&workspace.target().join("doc"), &api)?;
    copy(&workspace.target().join(TARGET).join("doc"), &api.join(BARE_METAL_FOLDER))?;
    let api_index = api.join("index.html");
    std::fs::write(&api_index, crate_index(workspace))
        .with_context(|| format!("cannot write {}", api_index.display()))?;
    Ok(site.join("index.html"))
}

/// A page that lists all crates.
fn crate_index(workspace: &Workspace) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Crates</title>\n\
         <style>body { font: 1em/1.5 sans-serif; max-width: 50em; margin: 2em auto; \
         padding: 0 1em } dt { margin-top: .6em; font-family: monospace }</style>\n\
         <h1>Crates</h1>\n<p><a href=\"../index.html\">To the book</a></p>\n",
    );
    let mut floor = "";
    for package in workspace.packages() {
        if package.floor != floor {
            let close = if floor.is_empty() { "" } else { "</dl>\n" };
            floor = &package.floor;
            // Writing into a string cannot fail.
            let _ = write!(page, "{close}<h2>{}</h2>\n<dl>\n", escaped(floor));
        }
        for name in &package.documented_as {
            let link = link(package, name);
            let (name, text) = (escaped(name), escaped(&package.description));
            let _ = writeln!(page, "<dt><a href=\"{link}\">{name}</a></dt><dd>{text}</dd>");
        }
    }
    page.push_str("</dl>\n</html>\n");
    page
}

/// From the page of all crates to a crate's own.
fn link(package: &Package, name: &str) -> String {
    if World::OnlyBareMetal.contains(package) {
        format!("{BARE_METAL_FOLDER}/{name}/index.html")
    } else {
        format!("{name}/index.html")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Copies a folder with everything in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let failed = || format!("cannot copy {} to {}", from.display(), to.display());
    std::fs::create_dir_all(to).with_context(failed)?;
    for entry in std::fs::read_dir(from).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let target = to.join(entry.file_name());
        if entry.file_type().with_context(failed)?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target).with_context(failed)?;
        }
    }
    Ok(())
}

fn open(page: &Path) -> Result<()> {
    let Some(opener) = ["xdg-open", "open"].into_iter().find_map(process::on_path) else {
        bail!("neither xdg-open nor open is there to show {}", page.display());
    };
    process::capture(Command::new(opener).arg(page)).map(drop)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{copy, crate_index};
    use crate::workspace::Workspace;

    #[test]
    fn every_crate_is_linked() -> anyhow::Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let page = crate_index(&Workspace::read(&root)?);
        for link in ["\"svsm_image/index.html\"", "\"bare-metal/hal/index.html\"", "<h2>abi</h2>"] {
            assert!(page.contains(link), "{link} in {page}");
        }
        assert_eq!(page.matches("<dl>").count(), page.matches("</dl>").count());
        Ok(())
    }

    #[test]
    fn folders_are_copied_whole() -> anyhow::Result<()> {
        let (from, to) = (tempfile::tempdir()?, tempfile::tempdir()?);
        std::fs::create_dir_all(from.path().join("a/b"))?;
        std::fs::write(from.path().join("a/b/c"), "text")?;
        copy(from.path(), &to.path().join("new"))?;
        assert_eq!(std::fs::read_to_string(to.path().join("new/a/b/c"))?, "text");
        Ok(())
    }
}
