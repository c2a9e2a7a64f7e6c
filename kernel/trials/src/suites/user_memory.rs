//! Address spaces of user processes, entered by kernel tasks, and copies from and
//! to what is mapped there.

use hal::Fault;
use hal::memory::{
    Access, AddressSpace, Frames, USER_END, User, copy_from_user, copy_to_user, read_without_leave,
    statistics,
};
use tasks::{Affinity, Priority, TaskOptions, TaskRegisters, spawn, yield_now};

use super::every_processor::on_all;
use crate::trial::{Failure, Outcome, Trial, check, equal, failure};

/// The tests.
pub(super) const TRIALS: &[Trial] = &[
    Trial { name: "user_copies::cross_pages", run: cross_pages },
    Trial { name: "user_copies::write_no_page_for_reading", run: write_no_page_for_reading },
    Trial { name: "user_copies::stop_at_a_missing_page", run: stop_at_a_missing_page },
    Trial { name: "user_copies::end_where_nothing_is_mapped", run: end_where_nothing_is },
    Trial { name: "user_copies::never_reach_the_kernel", run: never_reach_the_kernel },
    Trial { name: "user_memory::is_kept_from_the_kernel", run: is_kept_from_the_kernel },
    Trial { name: "user_memory::is_each_tasks_own", run: || on_all(two_with_their_own) },
    Trial { name: "user_memory::is_not_inherited", run: is_not_inherited },
    Trial { name: "user_memory::goes_back", run: goes_back },
];

/// Where tests map memory, by pages.
const BASE: u64 = 0x40_0000;
const PAGE: usize = 4096;
/// Where in the first page copies begin, so that they cross its end.
const OFFSET: usize = 3000;

fn out_of_memory<E>(_: E) -> Failure {
    failure("there was no memory")
}

fn fault(_: Fault) -> Failure {
    failure("a copy of memory that is mapped has failed")
}

/// Maps `count` pages at page number `page` from [`BASE`] on.
fn map(space: &mut AddressSpace, page: u64, count: u32, access: Access) -> Outcome {
    let frames = Frames::<User>::allocate(count).map_err(out_of_memory)?;
    space.map(at(page), frames, access).map_err(out_of_memory)
}

/// A space that has something in its first pages.
fn space(pages: u32, access: Access) -> Result<AddressSpace, Failure> {
    let mut space = AddressSpace::new().map_err(out_of_memory)?;
    map(&mut space, 0, pages, access)?;
    Ok(space)
}

const fn at(page: u64) -> u64 {
    BASE + page * PAGE as u64
}

/// Bytes that differ from page to page and from their neighbours.
fn pattern<const N: usize>() -> [u8; N] {
    core::array::from_fn(|index| (index % 251) as u8 ^ (index / PAGE) as u8)
}

fn cross_pages() -> Outcome {
    const SIZE: usize = 6000;
    // Three pages, of which the first lies elsewhere in memory.
    let mut space = space(1, Access::ReadWrite)?;
    map(&mut space, 1, 2, Access::ReadWrite)?;
    let bytes = pattern::<SIZE>();
    let start = at(0) + OFFSET as u64;
    space.enter(|| {
        copy_to_user(start, &bytes).map_err(fault)?;
        let mut back = [0; SIZE];
        copy_from_user(&mut back, start).map_err(fault)?;
        check(back == bytes, "what was written is read")?;
        let mut border = [0; 2];
        copy_from_user(&mut border, at(1) - 1).map_err(fault)?;
        equal(&border[..], &bytes[PAGE - OFFSET - 1..][..2], "bytes around a border")?;
        copy_from_user(&mut [], USER_END).map_err(fault)
    })?;
    let (in_first, in_others) = bytes.split_at(PAGE - OFFSET);
    let first = space.unmap(at(0)).ok_or_else(|| failure("the first page is mapped"))?;
    let others = space.unmap(at(1)).ok_or_else(|| failure("the others are mapped"))?;
    check(first.bytes().ends_with(in_first), "the end of the first page")?;
    check(first.bytes().iter().take(OFFSET).all(|byte| *byte == 0), "what comes before")?;
    check(others.bytes().starts_with(in_others), "the beginning of the others")?;
    let behind = others.bytes().iter().skip(in_others.len());
    check(behind.copied().all(|byte| byte == 0), "what comes behind")?;
    let gone = space.enter(|| copy_from_user(&mut [0], at(0)));
    equal(gone, Err(Fault), "a copy of what is not mapped any more")
}

fn write_no_page_for_reading() -> Outcome {
    let space = space(1, Access::Read)?;
    space.enter(|| {
        let mut bytes = [1; 16];
        copy_from_user(&mut bytes, at(0)).map_err(fault)?;
        equal(bytes, [0; 16], "bytes that are read")?;
        equal(copy_to_user(at(0), &[7; 16]), Err(Fault), "bytes that are written")?;
        copy_from_user(&mut bytes, at(0)).map_err(fault)?;
        equal(bytes, [0; 16], "bytes afterwards")
    })
}

fn stop_at_a_missing_page() -> Outcome {
    const SIZE: usize = 2 * PAGE;
    let space = space(2, Access::ReadWrite)?;
    let bytes = pattern::<SIZE>();
    let start = at(0) + OFFSET as u64;
    let there = SIZE - OFFSET;
    space.enter(|| {
        equal(copy_to_user(start, &bytes), Err(Fault), "a copy to beyond the end")?;
        let mut back = [0xee; SIZE];
        equal(copy_from_user(&mut back, start), Err(Fault), "a copy from beyond the end")?;
        check(back[..there] == bytes[..there], "all that is there was written and read")?;
        check(back[there..] == [0xee; OFFSET], "the rest is as before")?;
        // From before the first page on, nothing can be copied.
        let mut before = [0xee; 2];
        equal(copy_from_user(&mut before, at(0) - 1), Err(Fault), "a copy from before")?;
        equal(copy_to_user(at(0) - 1, &[1; 2]), Err(Fault), "a copy to before")?;
        equal(before, [0xee; 2], "what nothing was copied to")
    })
}

fn end_where_nothing_is() -> Outcome {
    let mut bytes = [0x5a; 24];
    for address in [0, 0x1000, USER_END - 24] {
        check(copy_from_user(&mut bytes, address).is_err(), "nothing is there to be read")?;
        check(copy_to_user(address, &bytes).is_err(), "nothing is there to be written")?;
    }
    equal(bytes, [0x5a; 24], "the bytes after copies that failed")
}

fn never_reach_the_kernel() -> Outcome {
    let own = [7_u8; 8];
    let address = own.as_ptr().addr() as u64;
    let mut bytes = [0; 8];
    for address in [address, USER_END - 7, USER_END, u64::MAX - 3, 1 << 63] {
        check(copy_from_user(&mut bytes, address).is_err(), "this is no user memory to read")?;
        check(copy_to_user(address, &[1; 8]).is_err(), "this is no user memory to write")?;
        check(read_without_leave(address).is_err(), "this is no user memory either way")?;
    }
    equal((own, bytes), ([7; 8], [0; 8]), "the bytes afterwards")
}

fn is_kept_from_the_kernel() -> Outcome {
    let space = space(1, Access::ReadWrite)?;
    space.enter(|| {
        copy_to_user(at(0), &[1; 8]).map_err(fault)?;
        // QEMU's processors have SMAP.
        equal(read_without_leave(at(0)), Err(Fault), "an access that is no copy")?;
        let mut bytes = [0; 8];
        copy_from_user(&mut bytes, at(0)).map_err(fault)?;
        equal(read_without_leave(at(0)), Err(Fault), "an access after a copy")?;
        // A copy that fails takes its leave back, too.
        equal(copy_from_user(&mut bytes, at(1)), Err(Fault), "a copy of nothing")?;
        equal(read_without_leave(at(0)), Err(Fault), "an access after a fault")
    })
}

/// Two tasks of this processor, each with a space of its own.
fn two_with_their_own(processor: u32) -> Outcome {
    let other = processor + 100;
    let options = TaskOptions { affinity: Affinity::Only(processor as usize), ..OPTIONS };
    let task = spawn(options, move || use_own_memory(other)).map_err(out_of_memory)?;
    let outcome = use_own_memory(processor);
    task.join()?;
    outcome
}

const OPTIONS: TaskOptions = TaskOptions {
    name: "with memory",
    priority: Priority::Service,
    affinity: Affinity::Only(0),
    stack_pages: 4,
    registers: TaskRegisters::Kernel,
};

/// Writes to user memory and reads it again, while others have their turns.
fn use_own_memory(number: u32) -> Outcome {
    let space = space(1, Access::ReadWrite)?;
    let mut other = AddressSpace::new().map_err(out_of_memory)?;
    map(&mut other, 0, 1, Access::ReadWrite)?;
    space.enter(|| {
        for round in 0..50_u32 {
            let mine = [number.to_le_bytes(), round.to_le_bytes()];
            copy_to_user(at(0), mine.as_flattened()).map_err(fault)?;
            yield_now();
            // Another space, from within the first.
            other.enter(|| {
                copy_to_user(at(0), &[0xff; 8]).map_err(fault)?;
                yield_now();
                Ok(())
            })?;
            let mut found = [0; 8];
            copy_from_user(&mut found, at(0)).map_err(fault)?;
            equal(&found[..], mine.as_flattened(), "what this task has written")?;
        }
        Ok(())
    })
}

fn is_not_inherited() -> Outcome {
    let space = space(1, Access::ReadWrite)?;
    let of_new_task =
        space.enter(|| spawn(OPTIONS, || copy_from_user(&mut [0], at(0))).map(|task| task.join()));
    equal(of_new_task.map_err(out_of_memory)?, Err(Fault), "a copy by a task made meanwhile")?;
    equal(copy_from_user(&mut [0], at(0)), Err(Fault), "a copy afterwards")
}

fn goes_back() -> Outcome {
    let used = || {
        let space = space(8, Access::ReadWrite)?;
        space.enter(|| copy_to_user(at(7), &[1; PAGE])).map_err(fault)
    };
    used()?;
    let before = statistics().free;
    for _ in 0..20 {
        used()?;
    }
    // Single frames may stay in the processor's cache.
    check(before.saturating_sub(statistics().free) <= 64 * 1024, "memory came back")
}
