//! What ends the guest: one in each run, by name.
//!
//! The guest says which end it expects, brings it about, and must not be there
//! afterwards. Whoever runs it compares: `cargo svsm test conformance` does.

mod access;
mod below;
mod demand;
mod ending;
mod level;

use crate::bench::Bench;
use crate::console::println;
use crate::ending::{Reason, terminate};
use crate::verdict::Objection;
use ending::Ending;

/// All endings: of the platform, or below a module.
fn all(bench: &Bench) -> impl Iterator<Item = &'static Ending> + use<> {
    const PLATFORM: &[&[Ending]] = &[access::ENDINGS, level::ENDINGS, demand::ENDINGS];
    const BELOW: &[&[Ending]] = &[below::ENDINGS];
    if bench.caller.is_some() { BELOW } else { PLATFORM }.iter().copied().flatten()
}

/// Lists them, one in each line.
pub(crate) fn list(bench: &Bench) {
    for ending in all(bench) {
        println!("{} ({} processors)", ending.name, ending.processors);
    }
}

/// Brings about the ending with this name.
pub(crate) fn run(bench: &mut Bench, name: &str) -> ! {
    let Some(ending) = all(bench).find(|ending| ending.name == name) else {
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
