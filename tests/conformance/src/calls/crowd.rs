//! Calls of all processors at once, about the same things.
//!
//! Who comes first is the machine's affair. What may come out is not: each call
//! ends with one of the results that its rivals leave it, and what at most one
//! can have, at most one gets.

use abi_svsm::core_protocol::{CoreCall, CoreCallNumber};
use abi_svsm::{CallRegisters, CallingArea, Protocol, ResultCode};
use alloc::format;

use super::foreign::rescinded_page;
use super::format::{by_number, core, query_for};
use crate::bench::Bench;
use crate::caller::write_list;
use crate::checks::Check;
use crate::vcpus::remap;
use crate::verdict::{Verdict, expect, require};

/// Processors that call at once: all that there are.
const CROWD: usize = 4;
/// How often.
const ROUNDS: usize = 50;

const SUCCESS: ResultCode = ResultCode::SUCCESS;
const ADDRESS: ResultCode = ResultCode::INVALID_ADDRESS;
const BUSY: ResultCode = ResultCode::BUSY;

/// In an entry of a list.
const VALIDATE: u64 = 1 << 2;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "crowd/flood",
        source: "SVSM 58019 §5",
        hardware: "all processors get an answer to each call that they make at once, good or bad",
        run: flood,
    },
    Check {
        name: "crowd/validate-the-same-page",
        source: "SVSM 58019 §6.2",
        hardware: "of processors that validate the same page, one does; others are told that it \
                   is unchanged or that they come too early",
        run: validate,
    },
    Check {
        name: "crowd/rescind-another-ones-list",
        source: "SVSM 58019 §6.2",
        hardware: "a page that a processor rescinds while another has a list in it is a list or \
                   none, and never more than a page of the guest's",
        run: rescind_list,
    },
    Check {
        name: "crowd/change-the-calling-area",
        source: "SVSM 58019 §4",
        hardware: "a list that another processor changes while the module reads it is refused or \
                   done as it was read; pages that are not the guest's are not reached",
        run: scribble,
    },
    Check {
        name: "crowd/remap-to-the-same-page",
        source: "SVSM 58019 §6.1",
        hardware: "a page becomes the calling area of one processor at most",
        run: remap_race,
    },
    Check {
        name: "crowd/all-answered-afterwards",
        source: "SVSM 58019 §5",
        hardware: "after all that, every processor's calls are answered as at first",
        run: afterwards,
    },
];

/// A result must be one that the call can have.
pub(super) fn is_one_of(what: &str, allowed: &[ResultCode], got: ResultCode) -> Verdict {
    require(allowed.contains(&got), &format!("{what}: one of {allowed:?}"), got)
}

fn flood(bench: &mut Bench) -> Verdict {
    bench.start_vcpus(CROWD as u32)?;
    let module = bench.caller().module.start;
    let calls = [
        query_for(Protocol::CORE, 1),
        core(CoreCallNumber::VALIDATE, module),
        by_number(Protocol(77), 0, module),
        core(CoreCallNumber::REMAP_CALLING_AREA, module),
    ];
    let results = [SUCCESS, ADDRESS, ResultCode::UNSUPPORTED_PROTOCOL, ADDRESS];
    for round in 0..ROUNDS {
        let turned = |index: usize| (index + round) % CROWD;
        let at_once = core::array::from_fn::<_, CROWD, _>(|index| calls[turned(index)]);
        let expected = core::array::from_fn(|index| results[turned(index)]);
        expect("results", expected, bench.call_everywhere(at_once)?)?;
    }
    Ok(())
}

/// Lists of one entry in the calling area of each processor.
fn lists(bench: &Bench, word: u64) -> [CallRegisters; CROWD] {
    core::array::from_fn(|processor| {
        let area = bench.caller().area(processor as u32);
        let list = write_list(area, CallingArea::BUFFER_OFFSET, &[word]);
        CoreCall::Validate { list }.encode()
    })
}

fn validate(bench: &mut Bench) -> Verdict {
    bench.start_vcpus(CROWD as u32)?;
    let page = rescinded_page(bench)?.gpa();
    for word in [page | VALIDATE, page].into_iter().cycle().take(ROUNDS) {
        let results = bench.call_everywhere(lists(bench, word))?;
        for result in results {
            is_one_of("result", &[SUCCESS, ResultCode::UNCHANGED, BUSY], result)?;
        }
        let done = results.iter().filter(|result| **result == SUCCESS).count();
        expect("processors that did it", 1, done)?;
    }
    Ok(())
}

fn rescind_list(bench: &mut Bench) -> Verdict {
    bench.start_vcpus(CROWD as u32)?;
    let (page, other) = (bench.private_page()?, rescinded_page(bench)?.gpa());
    for round in 0..ROUNDS {
        let word = if round % 2 == 0 { other | VALIDATE } else { other };
        let list = write_list(page, 0, &[word]);
        let read = CoreCall::Validate { list }.encode();
        let [rescind, _, _, _] = lists(bench, page.gpa());
        let query = query_for(Protocol::CORE, 1);
        let [rescinded, first, second, _] = bench.call_everywhere([rescind, read, read, query])?;
        is_one_of("rescinding", &[SUCCESS, BUSY], rescinded)?;
        for result in [first, second] {
            let parameter = ResultCode::INVALID_PARAMETER;
            let unchanged = ResultCode::UNCHANGED;
            is_one_of("list", &[SUCCESS, BUSY, ADDRESS, parameter, unchanged], result)?;
        }
        // As it was, whatever has become of it.
        let again = [page.gpa() | VALIDATE | 8, other | 8];
        let area = bench.caller().area(0);
        let list = write_list(area, CallingArea::BUFFER_OFFSET, &again);
        bench.succeeds("setting up again", CoreCall::Validate { list }.encode())?;
        if round % 2 == 0 {
            let set = [other | VALIDATE | 8];
            let list = write_list(area, CallingArea::BUFFER_OFFSET, &set);
            bench.succeeds("setting up again", CoreCall::Validate { list }.encode())?;
        }
    }
    Ok(())
}

fn scribble(bench: &mut Bench) -> Verdict {
    const ENTRIES: usize = 200;
    bench.start_vcpus(CROWD as u32)?;
    let page = bench.private_page()?.gpa();
    let module = bench.caller().module.start;
    let area = bench.caller().area(1);
    let start = CallingArea::BUFFER_OFFSET;
    let good = [page | VALIDATE | 8; ENTRIES];
    let hostile = [module | VALIDATE, u64::MAX, module, page | 8, 0, 1 << 45 | VALIDATE];
    for round in 0..ROUNDS {
        let list = write_list(area, start, &good);
        let registers = CoreCall::Validate { list }.encode();
        bench.caller().order(&bench.guest, 1, registers);
        let mut words = hostile.iter().cycle().skip(round);
        let mut place = round % ENTRIES;
        let result = bench.wait_for(
            || {
                area.write(start + 8 * place, words.next().copied().unwrap_or_default());
                place = (place + 7) % (ENTRIES + 1);
                bench.caller().ended(&bench.guest, 1, registers)
            },
            "the call does not end",
        )??;
        let result = ResultCode::from_rax(result.rax);
        let [parameter, unchanged] = [ResultCode::INVALID_PARAMETER, ResultCode::UNCHANGED];
        let allowed = [SUCCESS, ADDRESS, parameter, unchanged, ResultCode::INCOMPLETE];
        is_one_of("result", &allowed, result)?;
    }
    // Scribbled entries may have rescinded it.
    let got = bench.caller().validate_words(&bench.guest, &[page | VALIDATE | 8])?;
    expect("the page afterwards", (SUCCESS, 1), got)
}

fn remap_race(bench: &mut Bench) -> Verdict {
    bench.start_vcpus(CROWD as u32)?;
    let wanted = bench.private_page()?;
    for _ in 0..ROUNDS {
        let results = bench.call_everywhere([remap(wanted); CROWD])?;
        for result in results {
            is_one_of("result", &[SUCCESS, ADDRESS, BUSY], result)?;
        }
        let winners = results.iter().filter(|result| **result == SUCCESS).count();
        require(winners <= 1, "one processor at most", winners)?;
        // Who has it goes back.
        let winner = (0..).zip(results).find(|(_, result)| *result == SUCCESS);
        let Some((winner, _)) = winner else { continue };
        let own = bench.caller().area(winner);
        let set = |bench: &mut Bench, area| {
            bench.caller.iter_mut().for_each(|caller| caller.set_area(winner, area));
        };
        set(bench, wanted);
        let result = match winner {
            0 => ResultCode::from_rax(bench.call(remap(own))?.rax),
            _ => {
                bench.caller().order(&bench.guest, winner, remap(own));
                bench.wait_for_call(winner, remap(own))?
            }
        };
        expect("result of going back", SUCCESS, result)?;
        set(bench, own);
    }
    Ok(())
}

fn afterwards(bench: &mut Bench) -> Verdict {
    bench.start_vcpus(CROWD as u32)?;
    let query = query_for(Protocol::CORE, 1);
    expect("results", [SUCCESS; CROWD], bench.call_everywhere([query; CROWD])?)
}
