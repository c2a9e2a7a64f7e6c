//! What was counted, as tables.

use abi_simulator::report::{Row, Section};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use machine::LevelCall;

use super::guest::Guest;

/// All tables of a run.
pub(super) fn sections(guest: &Guest) -> Vec<Section> {
    let world = &guest.world;
    let levels = &world.levels;
    let exits = guest.exits.iter().map(|(code, count)| (format!("{code}"), count));
    let pages = world.reverse_map.statistics().events().map(|(event, count)| {
        let level = event.vmpl.map_or(String::new(), |vmpl| format!(" at {vmpl}"));
        (format!("{}, {}{level}: {}", event.operation, event.page_size, event.ending), count)
    });
    let broadcasts = world.broadcasts.counts().flat_map(|(vmpl, invalidations, waits)| {
        [(format!("INVLPGB at {vmpl}"), invalidations), (format!("TLBSYNC at {vmpl}"), waits)]
    });
    let requests = guest
        .server
        .counts()
        .iter()
        .filter(|(_, count)| count.requests != 0)
        .map(|(kind, count)| (kind.to_string(), count.requests));
    let refused = guest
        .server
        .counts()
        .iter()
        .filter(|(_, count)| count.refused != 0)
        .map(|(kind, count)| (kind.to_string(), count.refused));
    [
        section("exits", exits),
        section("translations", broadcasts),
        section("requests to the hypervisor", requests),
        section("requests that it refused", refused),
        section("pages", pages),
        section(
            "hostile host",
            guest.scenario.counts().flat_map(|count| {
                let failed = (count.failed != 0)
                    .then(|| (format!("{} (not possible)", count.rule), count.failed));
                [(count.rule, count.done)].into_iter().chain(failed)
            }),
        ),
        section(
            "instructions between marks (with --icount)",
            world
                .marks
                .intervals()
                .map(|(from, to, count)| (format!("{from:#x} to {to:#x}"), count)),
        ),
        section(
            "instructions of levels (with --icount)",
            levels.levels().map(|(level, count)| (level.to_string(), count.executed)),
        ),
        section(
            "requests of levels",
            levels.levels().map(|(level, count)| (level.to_string(), count.requests)),
        ),
        section(
            "VMPL0 before others run",
            levels.before_others().into_iter().flat_map(|count| {
                [
                    ("instructions (with --icount)".to_string(), count.executed),
                    ("requests".to_string(), count.requests),
                ]
            }),
        ),
        section(
            "instructions of the latest calls of VMPL0 (with --icount)",
            levels.calls().map(|call| {
                let LevelCall { rax, cost } = call;
                (format!("{rax:#x}, {} requests", cost.requests), cost.executed)
            }),
        ),
        section(
            "others",
            [
                ("instructions of the guest (with --icount)".to_string(), world.marks.executed()),
                ("save areas entered".to_string(), guest.save_areas_entered),
                ("bytes written to the console".to_string(), world.console_bytes),
            ]
            .into_iter(),
        ),
    ]
    .into_iter()
    .filter(|section| !section.rows.is_empty())
    .collect()
}

fn section(name: &str, rows: impl Iterator<Item = (String, u64)>) -> Section {
    Section {
        name: name.to_string(),
        rows: rows.map(|(name, count)| Row { name, count }).collect(),
    }
}
