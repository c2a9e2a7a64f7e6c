//! The order of the start.

use abi_boot::{BootBlock, Part};
use abi_snp::SecretsPage;
use hal::memory::statistics;
use kernel_log::{log_for_host, log_for_tenant};
use tasks::{Affinity, Priority, TaskOptions, TaskRegisters, spawn};

use crate::{logging, pages, processors, security_processor};

/// What the start has come to.
#[derive(Debug)]
pub struct Started {
    /// Processors that run.
    pub processors: u32,
    /// The secrets page, with the keys of the guest's levels and without those of
    /// the levels above; `None` where the platform has none.
    pub secrets: Option<&'static mut SecretsPage>,
}

/// Pages of the stack of the first task.
const FIRST_STACK_PAGES: u32 = 8;

/// Starts what the image asks for, then runs `work` as the first task, on the
/// first processor. The others run tasks as well.
pub fn start(block: &BootBlock<'static>, work: fn(Started)) -> ! {
    logging::open(block);
    tell_of_image(block);
    pages::start(block);
    let secrets = security_processor::start();
    let processors = processors::start(block);
    log_for_tenant!(Info, "processors: {processors}");
    log_for_tenant!(Info, "memory: {}", statistics());
    let first = TaskOptions {
        name: "start",
        priority: Priority::Service,
        affinity: Affinity::Only(0),
        stack_pages: FIRST_STACK_PAGES,
        registers: TaskRegisters::Kernel,
    };
    match spawn(first, move || work(Started { processors, secrets })) {
        Ok(task) => drop(task),
        Err(error) => panic!("the first task: {error}"),
    }
    tasks::run_processor()
}

/// Tells what the image is and where the builder has placed what.
fn tell_of_image(block: &BootBlock<'_>) {
    log_for_host!(Info, "SVSM {} ({})", env!("CARGO_PKG_VERSION"), block.platform);
    // The sum cannot overflow in a checked block.
    let end = block.region_base.saturating_add(block.region_size);
    let kib = block.region_size / 1024;
    log_for_tenant!(Info, "region: {:#x}..{end:#x}, {kib} KiB", block.region_base);
    for part in block.parts() {
        tell_of_part(part);
    }
}

fn tell_of_part(part: &Part) {
    let (name, kib) = (part.name(), part.size / 1024);
    log_for_tenant!(
        Info,
        "{:#012x}..{:#012x} {} {kib:6} KiB  {}{}{name}",
        part.gpa,
        part.end(),
        part.access,
        part.kind,
        if name.is_empty() { "" } else { ": " },
    );
}
