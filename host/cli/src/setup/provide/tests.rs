//! Tests of carrying steps out, with a step that makes a file.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::{intention, need};
use crate::session::Network;
use crate::setup::machine::{Machine, fake};
use crate::setup::step::{Found, Remedy, Step, Way};
use crate::terminal::Terminal;

/// What a [`MakeFile`] can do.
#[derive(Clone, Copy)]
enum Means {
    /// Nothing.
    None,
    /// One way that works.
    Works,
    /// The same without the network.
    WorksHere,
    /// One that fails and one that works.
    SecondWorks,
    /// One that claims to have worked.
    Lies,
}

struct MakeFile(Means);

fn place(machine: &Machine) -> PathBuf {
    machine.cache.join("file")
}

impl Step for MakeFile {
    fn name(&self) -> String {
        "file".to_owned()
    }

    fn purpose(&self) -> String {
        "a file".to_owned()
    }

    fn find(&self, machine: &Machine) -> Result<Option<Found>> {
        let path = place(machine);
        Ok(path.is_file().then(|| Found { path, detail: "there".to_owned() }))
    }

    fn ways<'a>(&'a self, machine: &'a Machine) -> Result<Vec<Way<'a>>, Remedy> {
        let works = || Way::new("write it", |_| Ok(std::fs::write(place(machine), "made")?));
        let fails = Way::new("try in vain", |_| bail!("in vain"));
        match self.0 {
            Means::None => Err(Remedy("write it yourself".to_owned())),
            Means::Works => Ok(vec![works()]),
            Means::WorksHere => Ok(vec![
                Way::new("fetch it", |_| bail!("from where?")),
                Way::without_network("write it", |_| Ok(std::fs::write(place(machine), "made")?)),
            ]),
            Means::SecondWorks => Ok(vec![fails, works()]),
            Means::Lies => Ok(vec![Way::new("do nothing", |_| Ok(()))]),
        }
    }
}

/// Runs a step on a new machine; gives the error's text.
fn try_with(means: Means, network: Network) -> Result<std::result::Result<(), String>> {
    let folder = tempfile::tempdir()?;
    let machine = Machine { network, ..fake::debian(&folder.path().join("cache")) };
    let result = need(&MakeFile(means), &machine, Terminal::plain());
    Ok(match result {
        Ok(found) => {
            assert_eq!(std::fs::read_to_string(found.path)?, "made");
            Ok(())
        }
        Err(error) => Err(format!("{error:#}")),
    })
}

#[test]
fn what_is_missing_is_made() -> Result<()> {
    assert_eq!(try_with(Means::Works, Network::Allowed)?, Ok(()));
    Ok(())
}

#[test]
fn the_next_way_is_gone_when_one_fails() -> Result<()> {
    assert_eq!(try_with(Means::SecondWorks, Network::Allowed)?, Ok(()));
    Ok(())
}

#[test]
fn what_is_there_is_not_made_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let machine = Machine { network: Network::Forbidden, ..fake::debian(folder.path()) };
    std::fs::write(place(&machine), "older")?;
    let found = need(&MakeFile(Means::Works), &machine, Terminal::plain())?;
    assert_eq!(std::fs::read_to_string(found.path)?, "older");
    Ok(())
}

#[test]
fn offline_says_what_is_missing_and_what_would_fetch_it() -> Result<()> {
    let message = try_with(Means::Works, Network::Forbidden)?.unwrap_err();
    for part in ["file is missing", "cargo svsm setup file", "write it"] {
        assert!(message.contains(part), "{message}");
    }
    Ok(())
}

#[test]
fn offline_ways_that_stay_here_are_gone() -> Result<()> {
    assert_eq!(try_with(Means::WorksHere, Network::Forbidden)?, Ok(()));
    Ok(())
}

#[test]
fn without_a_way_the_remedy_is_told() -> Result<()> {
    let message = try_with(Means::None, Network::Allowed)?.unwrap_err();
    assert!(message.contains("write it yourself"), "{message}");
    Ok(())
}

#[test]
fn a_way_that_made_nothing_has_failed() -> Result<()> {
    let message = try_with(Means::Lies, Network::Allowed)?.unwrap_err();
    assert!(message.contains("not found"), "{message}");
    Ok(())
}

#[test]
fn a_plan_names_all_ways() {
    let machine = fake::debian(Path::new("/nowhere"));
    let (verb, lines) = intention(&MakeFile(Means::SecondWorks), &machine);
    assert_eq!(verb, "missing");
    assert_eq!(lines, ["would try in vain", "or, if that fails, write it"]);
    let machine = Machine { network: Network::Forbidden, ..machine };
    assert_eq!(intention(&MakeFile(Means::Works), &machine).0, "offline");
    assert_eq!(intention(&MakeFile(Means::WorksHere), &machine).0, "missing");
    let (verb, lines) = intention(&MakeFile(Means::None), &machine);
    assert_eq!((verb, lines.len()), ("by hand", 1));
}
