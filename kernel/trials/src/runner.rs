//! Runs the tests and prints what comes of them.

use abi_boot::BootBlock;
use hal::{StopReason, print, println, stop};
use kernel_start::{Started, start};

use crate::bench;
use crate::options::{Choice, choice};
use crate::suites::{ENDINGS, TRIALS, attestation};
use crate::trial::{Ending, Failure, Trial};

/// Starts the kernel as for services.
pub(crate) fn enter(block: BootBlock<'static>) -> ! {
    start(&block, run)
}

/// Runs what the image asks for, and stops the machine.
fn run(started: Started) {
    println!("processors: {}", started.processors);
    attestation::keep(started.secrets);
    let trials = || TRIALS.iter().copied().flatten();
    match choice() {
        Choice::From(first) => run_trials(trials().skip(first)),
        Choice::Endings => {
            for Ending { name, .. } in ENDINGS {
                println!("ending {name}");
            }
        }
        Choice::Ending(name) => match ENDINGS.iter().find(|ending| ending.name == name) {
            Some(ending) => run_ending(ending),
            None => println!("error: there is no ending `{name}`"),
        },
        Choice::Bench => bench::run(),
        Choice::Nothing => {}
        Choice::Unknown(text) => {
            println!(
                "error: unknown kernel options `{text}`: give `from=N`, `endings`, `ending=NAME`, \
                 `bench` or `nothing`"
            );
        }
    }
    stop(StopReason::NoServices)
}

fn run_trials(trials: impl Iterator<Item = &'static Trial> + Clone) {
    println!("running {} tests", trials.clone().count());
    let (mut passed, mut failed) = (0, 0);
    for Trial { name, run } in trials {
        print(format_args!("test {name} ... "));
        match run() {
            Ok(()) => {
                passed += 1;
                println!("ok");
            }
            Err(Failure { what, place }) => {
                failed += 1;
                println!("FAILED: {what} ({}:{})", place.file(), place.line());
            }
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {passed} passed; {failed} failed; 0 ignored");
}

fn run_ending(ending: &Ending) {
    let Ending { name, reason, run } = ending;
    println!("ending {name} must stop with {:#04x}: {reason}", reason.code());
    run();
    println!("ending {name} did not stop the machine");
}
