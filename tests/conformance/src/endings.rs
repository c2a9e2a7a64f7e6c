//! What ends the guest: one in each run, by name.
//!
//! The guest says which end it expects, brings it about, and must not be there
//! afterwards. Whoever runs it compares: `cargo svsm test conformance` does.

mod access;
mod demand;
mod ending;
mod level;

use crate::bench::Bench;
use crate::console::println;
use crate::ending::{Reason, terminate};
use crate::verdict::Objection;
use ending::Ending;

/// All endings.
fn all() -> impl Iterator<Item = &'static Ending> {
    [access::ENDINGS, level::ENDINGS, demand::ENDINGS].into_iter().flatten()
}

/// Lists them, one in each line.
pub(crate) fn list() {
    for ending in all() {
        println!("{} ({} processors)", ending.name, ending.processors);
    }
}

/// Brings about the ending with this name.
pub(crate) fn run(bench: &mut Bench, name: &str) -> ! {
    let Some(ending) = all().find(|ending| ending.name == name) else {
        println!("FAIL {name}: expected the name of an ending, got another");
        terminate(Reason::Broken)
    };
    match (ending.run)(bench) {
        Ok(()) => println!("FAIL {name}: expected the end, got on"),
        Err(Objection::Failed(text)) => println!("FAIL {name}: {text}"),
        Err(Objection::Skipped(reason)) => println!("skip {name}: {reason}"),
    }
    println!("  {} [{}]", ending.hardware, ending.source);
    terminate(Reason::Survived)
}
