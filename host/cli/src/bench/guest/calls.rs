//! What calls cost the module, by a guest that does nothing else.

use std::time::Duration;

use abi_simulator::report;
use abi_snp::{PageSize, SevFeatures};
use abi_svsm::core_protocol::{
    CoreCall, ListHeader, ProtocolQuery, Unchanged, ValidationAction, ValidationEntry,
};
use abi_svsm::{CallRegisters, GuestPage, ListAddress, Protocol};
use anyhow::{Context, Result, bail};
use svsm_image::manifest::LinuxPayload;
use zerocopy::IntoBytes;

use super::caller::{PAGES, bzimage};
use crate::bench::sheet::Figure;
use crate::log::Log;
use crate::module_image::image_in;
use crate::project::Project;
use crate::simulation::{Devices, End, Image, Pace, Platform, Request, Statistics};
use crate::test::recorder::record;

/// Instructions of an empty call.
const MOST_INSTRUCTIONS: u64 = 400;

/// Lists that are measured: how many pages of which size.
const LISTS: [(u64, PageSize); 5] = [
    (1, PageSize::Size4K),
    (8, PageSize::Size4K),
    (64, PageSize::Size4K),
    (510, PageSize::Size4K),
    (1, PageSize::Size2M),
];

/// Pages that they are about: the first of 2 MiB that are used as 4 KiB, and one
/// that is not.
const SMALL: u64 = 0x400_0000;
const LARGE: u64 = 0x600_0000;

/// How often each is called: the first time, windows have to be opened, and the
/// host splits a page of 2 MiB.
const TIMES: usize = 2;

/// Far more than it takes.
const LIMIT: Duration = Duration::from_secs(300);

/// A call, and how its figure is named.
struct Wanted {
    name: String,
    call: CallRegisters,
    budget: Option<u64>,
}

/// Measures all calls.
///
/// # Errors
///
/// The module does not compile, or the guest does not come to its end.
pub(super) fn measure(project: &Project, log: &mut Log) -> Result<Vec<Figure>> {
    let mut pages = Vec::new();
    let wanted = wanted(&mut pages)?;
    let calls: Vec<CallRegisters> = wanted.iter().map(|wanted| wanted.call).collect();
    let folder = tempfile::tempdir().context("cannot create a folder for the image")?;
    let kernel = folder.path().join("caller");
    std::fs::write(&kernel, bzimage(&calls, &pages))
        .with_context(|| format!("cannot write {}", kernel.display()))?;
    let payload = LinuxPayload { kernel, initrd: None, command_line: String::new() };
    let platform = Platform::default();
    let image = image_in(
        folder.path(),
        project,
        Some(payload),
        platform.c_bit,
        SevFeatures::empty(),
        log.stream()?,
    )?;
    let request = Request {
        image: Image::Igvm(image),
        command_line: String::new(),
        platform,
        devices: Devices::default(),
        pace: Pace::Instructions,
        debugger: None,
        limit: Some(LIMIT),
        expect: None,
    };
    log.say("=== calls")?;
    let outcome = record(project, &request, log)?.outcome;
    match outcome.end {
        End::Told(report::End::Terminated { vmpl: 2, reason_set: 0, reason_code: 0, .. }) => {}
        end => bail!("a call failed: {end}; see {}", log.path().display()),
    }
    figures(&wanted, &outcome.statistics.context("the simulator has told no counts")?)
}

/// All calls in their order; `pages` become their lists.
fn wanted(pages: &mut Vec<[u8; 4096]>) -> Result<Vec<Wanted>> {
    let query = CoreCall::QueryProtocol(ProtocolQuery { protocol: Protocol::CORE, version: 1 });
    let mut wanted: Vec<Wanted> = (0..TIMES)
        .map(|_| Wanted {
            name: "empty call (QUERY_PROTOCOL)".to_owned(),
            call: query.encode(),
            budget: Some(MOST_INSTRUCTIONS),
        })
        .collect();
    for (count, size) in LISTS {
        for _ in 0..TIMES {
            for action in [ValidationAction::Rescind, ValidationAction::Validate] {
                let at = PAGES + pages.len() as u64 * 4096;
                pages.push(list(count, size, action)?);
                let list = ListAddress::at(at).context("a list is aligned")?;
                let what = match action {
                    ValidationAction::Rescind => "rescind",
                    ValidationAction::Validate => "validate",
                };
                let size = if size == PageSize::Size4K { "4 KiB" } else { "2 MiB" };
                wanted.push(Wanted {
                    name: format!("PVALIDATE, {what} {count} × {size}"),
                    call: CoreCall::Validate { list }.encode(),
                    budget: None,
                });
            }
        }
    }
    Ok(wanted)
}

/// A list of neighbouring pages.
fn list(count: u64, size: PageSize, action: ValidationAction) -> Result<[u8; 4096]> {
    let mut bytes = [0; 4096];
    let header = ListHeader::new(u16::try_from(count)?);
    let first = if size == PageSize::Size4K { SMALL } else { LARGE };
    let entries = (0..count).map(|index| {
        let page = GuestPage::containing(first + index * size.bytes());
        ValidationEntry { page, size, action, unchanged: Unchanged::Refuse }.encode()
    });
    let words = header.as_bytes().to_vec().into_iter();
    let words = words.chain(entries.flat_map(u64::to_le_bytes));
    for (byte, value) in bytes.iter_mut().zip(words) {
        *byte = value;
    }
    Ok(bytes)
}

/// Of each call the last time.
fn figures(wanted: &[Wanted], statistics: &Statistics) -> Result<Vec<Figure>> {
    let section = "instructions of the latest calls of VMPL0 (with --icount)";
    let counted: Vec<(&str, u64)> = statistics.rows(section).collect();
    if counted.len() != wanted.len() {
        bail!("{} calls were made and {} counted", wanted.len(), counted.len());
    }
    let mut figures: Vec<Figure> = Vec::new();
    for (wanted, (name, instructions)) in wanted.iter().zip(counted) {
        let figure = Figure::new(format!("{}, instructions", wanted.name), [instructions]);
        let figure = Figure { budget: wanted.budget, ..figure };
        // One request: to run the guest again.
        if name != format!("{:#x}, 1 requests", wanted.call.rax) {
            bail!("`{}` was counted as `{name}`", wanted.name);
        }
        figures.retain(|earlier| earlier.name != figure.name);
        figures.push(figure);
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use abi_simulator::report::{Row, Section};

    use super::*;

    fn counted(names: &[&str]) -> Statistics {
        let rows = (1..).zip(names).map(|(count, name)| Row { name: (*name).to_owned(), count });
        let name = "instructions of the latest calls of VMPL0 (with --icount)".to_owned();
        Statistics::new(vec![Section { name, rows: rows.collect() }])
    }

    #[test]
    fn lists_are_whole_and_the_simulator_keeps_all_calls() -> Result<()> {
        let mut pages = Vec::new();
        let wanted = wanted(&mut pages)?;
        assert!(wanted.len() <= 32);
        assert_eq!(pages.len(), LISTS.len() * TIMES * 2);
        // The longest list fills its page.
        let longest = pages.iter().find(|page| page[..2] == 510_u16.to_le_bytes());
        assert!(longest.is_some_and(|page| page[4080..4088] != [0; 8] && page[4088..] == [0; 8]));
        Ok(())
    }

    #[test]
    fn the_last_time_counts() -> Result<()> {
        let call = CallRegisters { rax: 6, ..CallRegisters::default() };
        let wanted = || Wanted { name: "empty".to_owned(), call, budget: Some(2) };
        let wanted = [wanted(), wanted()];
        let figures = figures(&wanted, &counted(&["0x6, 1 requests"; 2]))?;
        let expected = Figure::new("empty, instructions", [2]).within(2);
        assert_eq!(figures, [expected]);
        for wrong in [&["0x6, 1 requests"][..], &["0x6, 2 requests"; 2], &["0x1, 1 requests"; 2]] {
            assert!(super::figures(&wanted, &counted(wrong)).is_err());
        }
        Ok(())
    }
}
