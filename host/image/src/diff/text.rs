//! A comparison as text.

use std::fmt;

use super::comparison::Diff;
use super::fact::FactChange;
use super::memory::{MemoryChange, PageChange};
use crate::inspect::{Align, Table};

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.byte_identical {
            return writeln!(f, "The files are the same, byte for byte.");
        }
        if self.is_empty() {
            return writeln!(f, "The files differ, but the images are equal in content.");
        }
        write_facts(f, &self.facts)?;
        write_memory(f, &self.memory)?;
        if self.memory.is_empty() && self.facts.iter().all(|fact| fact.section == "launch digest") {
            writeln!(f, "\nThe pages are the same, in another order.")?;
        }
        Ok(())
    }
}

fn write_facts(f: &mut fmt::Formatter<'_>, facts: &[FactChange]) -> fmt::Result {
    for facts in facts.chunk_by(|a, b| a.section == b.section) {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Left), ("", Align::Left)]);
        for fact in facts {
            let (sign, value) = match (&fact.old, &fact.new) {
                (Some(old), Some(new)) => ("~", format!("{old} -> {new}")),
                (Some(old), None) => ("-", old.clone()),
                (None, new) => ("+", new.clone().unwrap_or_default()),
            };
            table.row([sign.to_owned(), fact.subject.clone(), value]);
        }
        let section = facts.first().map_or("", |fact| fact.section);
        write!(f, "{section}\n{table}\n")?;
    }
    Ok(())
}

fn write_memory(f: &mut fmt::Formatter<'_>, changes: &[MemoryChange]) -> fmt::Result {
    if changes.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&[
        ("", Align::Left),
        ("", Align::Right),
        ("", Align::Right),
        ("", Align::Right),
        ("", Align::Left),
        ("", Align::Left),
    ]);
    for change in changes {
        let (sign, how) = match &change.change {
            PageChange::Added { kind } => ("+", kind.clone()),
            PageChange::Removed { kind } => ("-", kind.clone()),
            PageChange::Kind { old, new } => ("~", format!("{old} -> {new}")),
            PageChange::Content { kind, first_difference, differing_bytes } => (
                "~",
                format!("{kind}: {differing_bytes} bytes differ, the first at {first_difference}"),
            ),
        };
        table.row([
            sign.to_owned(),
            change.first.to_string(),
            change.last.to_string(),
            change.size.to_string(),
            change.platforms.join(" "),
            how,
        ]);
    }
    write!(f, "memory\n{table}")
}
