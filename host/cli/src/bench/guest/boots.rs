//! What the module costs a guest that boots, beside the same guest without it.

use std::time::Duration;

use abi_simulator::report;
use abi_snp::SevFeatures;
use anyhow::{Context, Result, bail};
use svsm_image::manifest::LinuxPayload;
use svsm_initrd::ram_disk::Task;

use crate::bench::sheet::Figure;
use crate::guest;
use crate::log::Log;
use crate::module_image::image_in;
use crate::project::Project;
use crate::setup::LINUX_7;
use crate::simulation::{Devices, End, Image, LinuxImage, Pace, Platform, Request, Statistics};
use crate::test::recorder::record;

/// Instructions until the guest is entered.
const MOST_INSTRUCTIONS: u64 = 15_000_000;

/// The guest boots and switches off.
const SCRIPT: &str = "exit 0";

/// Memory of the machine, and of the one that shows what more memory costs.
const MEMORY_MIB: u64 = 512;
const MORE_MEMORY_MIB: u64 = 1536;
// The difference is what one GiB costs.
const _: () = assert!(MORE_MEMORY_MIB - MEMORY_MIB == 1024);

/// Far more than any run takes.
const LIMIT: Duration = Duration::from_secs(900);

/// The guest's files, and what is started.
struct Boots<'a> {
    project: &'a Project,
    folder: tempfile::TempDir,
    payload: LinuxPayload,
}

/// Measures all boots.
///
/// # Errors
///
/// The module does not compile, the kernel or busybox is missing and cannot be
/// had, or a guest does not come to its end.
pub(super) fn measure(project: &Project, log: &mut Log) -> Result<Vec<Figure>> {
    let kernel = project.toolbox.guest_kernel(&LINUX_7)?;
    let folder = tempfile::tempdir().context("cannot create a folder for images")?;
    let task = Task::Script(SCRIPT);
    let initrd = guest::ram_disk_in(folder.path(), &project.toolbox, &kernel, task)?;
    let command_line = "console=ttyS0 quiet panic=-1".to_owned();
    let payload = LinuxPayload { kernel: kernel.image, initrd: Some(initrd), command_line };
    let boots = Boots { project, folder, payload };
    let below = boots.below_the_module(log)?;
    let alone = boots.alone();

    let small = boots.run(&below, MEMORY_MIB, Pace::Instructions, log)?.counts;
    let large = boots.run(&below, MORE_MEMORY_MIB, Pace::Instructions, log)?.counts;
    let bare = boots.run(&alone, MEMORY_MIB, Pace::Instructions, log)?.counts;
    let mut figures = start(&small, &large)?;
    for (what, image, counts) in
        [("without the module", &alone, &bare), ("below the module", &below, &small)]
    {
        let mut add = |unit: &str, count| {
            figures.push(Figure::new(format!("boot {what}, {unit}"), [count]));
        };
        add("instructions", of(counts, "others", "instructions of the guest (with --icount)")?);
        add("exits", counts.rows("exits").map(|(_, count)| count).sum());
        add("requests to the host", counts.rows("requests of levels").map(|(_, n)| n).sum());
        let time = boots.run(image, MEMORY_MIB, Pace::RealTime, log)?.processor_time;
        add("processor time of QEMU, ms", u64::try_from(time.as_millis())?);
    }
    Ok(figures)
}

/// Until the guest is entered, with `small` memory, and with 1 GiB more.
fn start(small: &Statistics, large: &Statistics) -> Result<Vec<Figure>> {
    let section = "VMPL0 before others run";
    let mut figures = Vec::new();
    for (row, unit) in [("instructions (with --icount)", "instructions"), ("requests", "requests")]
    {
        let [small, large] = [small, large].map(|counts| of(counts, section, row));
        let (small, large) = (small?, large?);
        let budget = (unit == "instructions").then_some(MOST_INSTRUCTIONS);
        let name = format!("start to the guest's entry, {unit}");
        figures.push(Figure { budget, ..Figure::new(name, [small]) });
        let more = large.checked_sub(small).context("more memory costs less")?;
        figures.push(Figure::new(format!("set-up of memory, {unit} for each GiB"), [more]));
    }
    Ok(figures)
}

fn of(counts: &Statistics, section: &str, row: &str) -> Result<u64> {
    let found = counts.rows(section).find(|(name, _)| *name == row);
    Ok(found.with_context(|| format!("the simulator does not tell `{section}: {row}`"))?.1)
}

/// What a run gives.
struct Run {
    counts: Statistics,
    processor_time: Duration,
}

impl Boots<'_> {
    fn below_the_module(&self, log: &mut Log) -> Result<Image> {
        let (payload, c_bit) = (Some(self.payload.clone()), Platform::default().c_bit);
        let folder = self.folder.path();
        Ok(Image::Igvm(image_in(
            folder,
            self.project,
            payload,
            c_bit,
            SevFeatures::empty(),
            log.stream()?,
        )?))
    }

    fn alone(&self) -> Image {
        let LinuxPayload { kernel, initrd, .. } = self.payload.clone();
        Image::Linux(LinuxImage::new(kernel, initrd))
    }

    fn run(&self, image: &Image, memory_mib: u64, pace: Pace, log: &mut Log) -> Result<Run> {
        log.say(&format!("=== boot, {memory_mib} MiB, {pace:?}"))?;
        let request = Request {
            image: image.clone(),
            command_line: match image {
                // It is in the image.
                Image::Igvm(_) => String::new(),
                Image::Linux(_) => self.payload.command_line.clone(),
            },
            platform: Platform { memory: memory_mib << 20, ..Platform::default() },
            devices: Devices::default(),
            pace,
            debugger: None,
            limit: Some(LIMIT),
            expect: None,
        };
        let before = children_time()?;
        let outcome = record(self.project, &request, log)?.outcome;
        let processor_time = children_time()?.saturating_sub(before);
        match outcome.end {
            End::Told(report::End::PoweredOff) => {}
            end => bail!("the guest did not come to its end: {end}; see {}", log.path().display()),
        }
        let counts = outcome.statistics.context("the simulator has told no counts")?;
        Ok(Run { counts, processor_time })
    }
}

/// Processor time of all programs that this one has started and that have ended,
/// QEMU above all: the simulator is built when it first runs.
fn children_time() -> Result<Duration> {
    let path = "/proc/self/stat";
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    children_time_in(&text).with_context(|| format!("{path} is not as proc(5) has it"))
}

/// User and system time of children that have been waited for, in ticks of 10 ms
/// [proc(5), `/proc/pid/stat`, fields 16 and 17].
fn children_time_in(stat: &str) -> Option<Duration> {
    const TICK_MS: u64 = 10;
    // The second field, the program's name, ends with the last bracket.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut times = rest.split_whitespace().skip(13).map(str::parse::<u64>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    Some(Duration::from_millis((user + system) * TICK_MS))
}

#[cfg(test)]
mod tests {
    use abi_simulator::report::{Row, Section};

    use super::*;

    #[test]
    fn time_of_children_is_read() {
        let stat = "7 (a ) b) S 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18";
        assert_eq!(children_time_in(stat), Some(Duration::from_millis(310)));
        assert_eq!(children_time_in("7 (a) S 3"), None);
        assert!(children_time().is_ok());
    }

    #[test]
    fn the_start_is_told_with_what_a_gib_costs() -> Result<()> {
        let counts = |instructions, requests| {
            let row = |name: &str, count| Row { name: name.to_owned(), count };
            let rows =
                vec![row("instructions (with --icount)", instructions), row("requests", requests)];
            Statistics::new(vec![Section { name: "VMPL0 before others run".to_owned(), rows }])
        };
        let figures = start(&counts(100, 7), &counts(130, 9))?;
        let found: Vec<_> = figures.iter().map(|figure| figure.counts[0]).collect();
        assert_eq!(found, [100, 30, 7, 2]);
        assert_eq!(figures[0].budget, Some(MOST_INSTRUCTIONS));
        assert!(start(&counts(100, 7), &counts(90, 9)).is_err());
        assert!(start(&Statistics::new(Vec::new()), &counts(1, 1)).is_err());
        Ok(())
    }
}
