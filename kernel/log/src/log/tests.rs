//! Messages on their way: into rings, to readers, to the console.

extern crate std;

use std::cell::{Cell, RefCell};
use std::string::{String, ToString};
use std::vec::Vec;

use abi_boot::ConsoleAudience;

use super::*;

std::thread_local! {
    /// What the console shows.
    static SHOWN: RefCell<String> = const { RefCell::new(String::new()) };
    static NOW_NS: Cell<u64> = const { Cell::new(0) };
    static PROCESSOR: Cell<usize> = const { Cell::new(0) };
}

fn print(text: fmt::Arguments<'_>) {
    SHOWN.with_borrow_mut(|shown| shown.push_str(&text.to_string()));
}

/// Two processors more, and a clock that tests set.
fn sources() -> Sources {
    static OTHERS: [MessageRing; 2] = [MessageRing::new(), MessageRing::new()];
    Sources { rings: &OTHERS, processor: || PROCESSOR.get(), now_ns: || NOW_NS.get() }
}

fn write_at(log: &Log, time_ns: u64, processor: usize, text: &str) {
    NOW_NS.set(time_ns);
    PROCESSOR.set(processor);
    log.write(Audience::Tenant, Level::Info, format_args!("{text}"));
}

fn texts(log: &Log, audience: Audience) -> Vec<String> {
    let mut cursors = [Cursor::default(); 3];
    let mut reader = log.reader(audience, &mut cursors);
    let mut buffer = [0; LINE_SIZE];
    core::iter::from_fn(|| reader.next(&mut buffer).map(|message| message.text.to_string()))
        .collect()
}

/// A log with one message for each audience.
fn one_for_each() -> Log {
    let log = Log::new();
    log.write(Audience::Host, Level::Error, format_args!("for the host"));
    log.write(Audience::Tenant, Level::Warning, format_args!("for the tenant"));
    log.write(Audience::Nobody, Level::Info, format_args!("for nobody"));
    log
}

#[test]
fn readers_get_what_is_for_them() {
    let log = one_for_each();
    assert_eq!(texts(&log, Audience::Host), ["for the host"]);
    assert_eq!(texts(&log, Audience::Tenant), ["for the host", "for the tenant"]);
    assert_eq!(texts(&log, Audience::Nobody).len(), 3);
}

#[test]
fn console_shows_what_the_manifest_allows_early_messages_first() {
    let cases = [
        (ConsoleAudience::NONE, ""),
        (ConsoleAudience(7), ""),
        (
            ConsoleAudience::HOST,
            "[    0.000000] cpu0 error: for the host\n[    0.000000] cpu0 info: later\n",
        ),
        (
            ConsoleAudience::TENANT,
            "[    0.000000] cpu0 error: for the host\n\
             [    0.000000] cpu0 warning: for the tenant\n\
             [    0.000000] cpu0 info: later\n\
             [    0.000000] cpu0 info: for me\n",
        ),
    ];
    for (allowed, expected) in cases {
        let log = one_for_each();
        log.open_console(allowed, print);
        log.write(Audience::Host, Level::Info, format_args!("later"));
        log.write(Audience::Tenant, Level::Info, format_args!("for me"));
        log.write(Audience::Nobody, Level::Info, format_args!("never"));
        assert_eq!(SHOWN.take(), expected, "{allowed}");
    }
}

#[test]
fn too_detailed_messages_are_dropped() {
    let log = Log::new();
    log.write(Audience::Host, Level::Debug, format_args!("hidden"));
    log.set_detail(Level::Debug);
    log.write(Audience::Host, Level::Debug, format_args!("shown"));
    log.write(Audience::Host, Level::Trace, format_args!("hidden"));
    assert_eq!(texts(&log, Audience::Host), ["shown"]);
}

#[test]
fn processors_are_merged_by_time() {
    let log = Log::new();
    write_at(&log, 77, 2, "early");
    log.spread(sources());
    write_at(&log, 3_000, 2, "third");
    write_at(&log, 1_000, 0, "first");
    write_at(&log, 2_000, 1, "second");
    write_at(&log, 4_000_001_000, 2, "fourth");
    write_at(&log, 5_000, 9, "a processor without a ring");
    assert_eq!(texts(&log, Audience::Tenant), ["early", "first", "second", "third", "fourth"]);

    let mut cursors = [Cursor::default(); 3];
    let mut reader = log.reader(Audience::Tenant, &mut cursors);
    let mut buffer = [0; LINE_SIZE];
    let lines: Vec<_> =
        core::iter::from_fn(|| reader.next(&mut buffer).map(|message| message.to_string()))
            .collect();
    assert_eq!(lines.first().unwrap(), "[    0.000000] cpu0 info: early");
    assert_eq!(lines.last().unwrap(), "[    4.000001] cpu2 info: fourth");
}

#[test]
fn lost_messages_are_counted() {
    let log = Log::new();
    let count = 10_000;
    for n in 0..count {
        log.write(Audience::Host, Level::Info, format_args!("{n}"));
    }
    let mut cursors = [Cursor::default()];
    let mut reader = log.reader(Audience::Host, &mut cursors);
    let mut buffer = [0; LINE_SIZE];
    let first = reader.next(&mut buffer).unwrap();
    assert_eq!(first.text, first.lost.to_string());
    let (mut read, lost) = (1, first.lost);
    while let Some(message) = reader.next(&mut buffer) {
        assert_eq!(message.lost, 0);
        read += 1;
    }
    assert_eq!(read + lost, count);
}
