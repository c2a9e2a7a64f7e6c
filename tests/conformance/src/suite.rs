//! Runs the checks and ends.

use crate::bench::Bench;
use crate::checks;
use crate::console::{self, println};
use crate::ending::{Reason, power_off, terminate};
use crate::machine::Guest;
use crate::verdict::Objection;

/// Runs all checks.
pub(crate) fn run(guest: Guest) -> ! {
    let Ok(mut bench) = Bench::prepare(guest) else {
        panic!("no page could be shared with the host");
    };
    console::prepare(bench.ghcb);
    println!("SEV-SNP conformance {}", env!("CARGO_PKG_VERSION"));
    let (mut passed, mut failed) = (0, 0);
    for check in checks::all() {
        match (check.run)(&mut bench) {
            Ok(()) => {
                passed += 1;
                println!("ok {}", check.name);
            }
            Err(Objection::Skipped(reason)) => println!("skip {}: {reason}", check.name),
            Err(Objection::Failed(text)) => {
                failed += 1;
                println!("FAIL {}: {text}", check.name);
                println!("  {} [{}]", check.hardware, check.source);
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { power_off(bench.ghcb) } else { terminate(Reason::ChecksFailed) }
}
