//! Runs what the host asks for and ends.

use alloc::string::String;

use crate::attacked;
use crate::bench::Bench;
use crate::calls;
use crate::checks::{self, Check};
use crate::console::{self, println};
use crate::ending::{Reason, power_off, terminate};
use crate::endings;
use crate::machine::Guest;
use crate::settings;
use crate::verdict::Objection;

/// The text by which the host asks for a list of endings.
const LIST: &str = "list";

/// Runs all checks, of the platform or of the module that this guest is below,
/// or the ending or the one check that the host names.
pub(crate) fn run(guest: Guest) -> ! {
    let mut bench = match Bench::prepare(guest) {
        Ok(bench) => bench,
        Err(objection) => panic!("no page could be shared with the host: {objection:?}"),
    };
    console::prepare(bench.ghcb);
    let (version, processors) = (env!("CARGO_PKG_VERSION"), bench.guest.processors);
    let place = if bench.caller.is_some() { ", below a module" } else { "" };
    println!("SEV-SNP conformance {version}, processors: {processors}{place}");
    let told = settings::text(bench.ghcb);
    let alone = told.as_deref().and_then(attacked::named);
    match told.as_deref() {
        None | Some("") => {}
        Some(_) if alone.is_some() => {}
        Some(LIST) => {
            endings::list(&bench);
            power_off(bench.ghcb)
        }
        Some(name) => endings::run(&mut bench, name),
    }

    let (mut passed, mut failed) = (0, 0);
    let is_below = bench.caller.is_some();
    let own = checks::all().filter(|_| alone.is_none() && !is_below);
    let below = calls::all().filter(|_| alone.is_none() && is_below);
    for check in alone.into_iter().chain(own).chain(below) {
        match (check.run)(&mut bench) {
            Ok(()) => {
                passed += 1;
                println!("ok {}", check.name);
            }
            Err(Objection::Skipped(reason)) => println!("skip {}: {reason}", check.name),
            Err(Objection::Failed(text)) => {
                failed += 1;
                println!("FAIL {}: {text}", check.name);
                println!("  {}", explanation(check));
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { power_off(bench.ghcb) } else { terminate(Reason::ChecksFailed) }
}

/// What hardware does, and where that stands. The console has ASCII only.
fn explanation(check: &Check) -> String {
    alloc::format!("{} [{}]", check.hardware, check.source).replace('§', "section ")
}
