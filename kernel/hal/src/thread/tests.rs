//! Threads on the developer's machine: the same switches, by the same code.

extern crate std;

use std::boxed::Box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread as system;
use std::vec::Vec;

use super::*;
use crate::memory::StackOwner;
use crate::sync::mask;

/// Enough for panics and their messages, too.
const STACK_PAGES: u32 = 64;

fn context() -> &'static Context {
    Box::leak(Box::new(Context::new()))
}

/// Runs `test` as the first thread of a new processor, whose context it gets.
fn on_a_processor(test: impl FnOnce(&'static Context) + Send + 'static) {
    let processor = system::spawn(|| {
        let first = context();
        adopt(first).unwrap();
        test(first);
    });
    if let Err(panic) = processor.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Arms `context` with a thread that runs `work` and then goes on with `next`.
fn arm(
    context: &'static Context,
    next: &'static Context,
    work: impl FnOnce() + Send + 'static,
) -> Result<(), NotEmpty> {
    let entry = move || {
        work();
        Departure { next, masked: mask() }
    };
    context.arm(Stack::allocate(STACK_PAGES, StackOwner::Task(0)).unwrap(), None, Box::new(entry))
}

#[test]
fn thread_runs_to_its_end_and_gives_everything_back() {
    on_a_processor(|first| {
        let other = context();
        let resource = Arc::new(AtomicU32::new(0));
        let used = resource.clone();
        arm(other, first, move || {
            used.store(7, Ordering::Relaxed);
        })
        .unwrap();
        assert!(other.reclaim().is_none(), "it has not ended");
        switch_to(other, &mask());
        assert_eq!(resource.load(Ordering::Relaxed), 7);
        assert_eq!(Arc::strong_count(&resource), 1, "what the entry held is dropped");
        assert!(other.reclaim().is_some());
        assert!(other.reclaim().is_none(), "once");
        // The context can be used again.
        arm(other, first, || ()).unwrap();
        switch_to(other, &mask());
    });
}

#[test]
fn two_threads_alternate_and_keep_their_values() {
    on_a_processor(|first| {
        let other = context();
        let (sender, receiver) = mpsc::channel();
        let theirs = sender.clone();
        arm(other, first, move || {
            let mut sum = 0;
            for n in 0..1000 {
                sum += n;
                theirs.send(("other", sum)).unwrap();
                switch_to(first, &mask());
            }
        })
        .unwrap();
        let mut product = 1_u32;
        for _ in 0..1001 {
            product = product.wrapping_mul(3);
            sender.send(("first", product)).unwrap();
            switch_to(other, &mask());
        }
        drop(sender);
        let messages: Vec<_> = receiver.iter().collect();
        assert_eq!(messages.len(), 2001);
        assert_eq!(messages[1999], ("other", 1000 * 999 / 2));
        assert_eq!(messages[2000], ("first", 3_u32.wrapping_pow(1001)));
        assert!(other.reclaim().is_some());
    });
}

#[test]
fn interrupts_are_as_each_thread_had_them() {
    use crate::sync::interrupt_flag_is_set as unmasked;
    on_a_processor(|first| {
        let other = context();
        arm(other, first, move || {
            assert!(unmasked());
            switch_to(first, &mask());
            assert!(unmasked());
        })
        .unwrap();
        let guard = mask();
        switch_to(other, &guard);
        assert!(!unmasked());
        switch_to(other, &guard);
        assert!(!unmasked());
        drop(guard);
        assert!(unmasked());
    });
}

#[test]
fn a_thread_can_go_on_on_another_processor() {
    let travelling = context();
    let (sender, receiver) = mpsc::channel::<&'static Context>();
    let seen = Arc::new(AtomicU32::new(0));
    let steps = seen.clone();
    on_a_processor(move |first| {
        arm(travelling, first, move || {
            steps.fetch_add(1, Ordering::Relaxed);
            switch_to(first, &mask());
            steps.fetch_add(10, Ordering::Relaxed);
            switch_to(receiver.recv().unwrap(), &mask());
        })
        .unwrap();
        switch_to(travelling, &mask());
    });
    assert_eq!(seen.load(Ordering::Relaxed), 1);
    on_a_processor(move |second| {
        sender.send(second).unwrap();
        switch_to(travelling, &mask());
    });
    assert_eq!(seen.load(Ordering::Relaxed), 11);
}

#[test]
#[should_panic(expected = "is entered")]
fn a_running_thread_is_not_entered() {
    on_a_processor(|first| switch_to(first, &mask()));
}

#[test]
#[should_panic(expected = "no lock is held across a switch")]
fn nobody_switches_under_a_second_guard() {
    on_a_processor(|first| {
        let other = context();
        arm(other, first, || ()).unwrap();
        let _lock = mask();
        switch_to(other, &mask());
    });
}

#[test]
#[should_panic(expected = "adopts its first thread")]
fn code_without_a_context_does_not_switch() {
    switch_to(context(), &mask());
}

#[test]
fn one_thread_for_a_context() {
    on_a_processor(|first| {
        let other = context();
        arm(other, first, || ()).unwrap();
        assert_eq!(arm(other, first, || ()), Err(NotEmpty));
        assert_eq!(arm(first, first, || ()), Err(NotEmpty));
    });
}

#[test]
#[should_panic(expected = "whose thread has not ended")]
fn a_stack_in_use_is_not_freed() {
    on_a_processor(|first| {
        let other: &'static Context = context();
        arm(other, first, move || switch_to(first, &mask())).unwrap();
        switch_to(other, &mask());
        // What nobody can write, for lack of an owned context: the memory of
        // one given back.
        let stolen = Context::new();
        stolen.state.store(other.state.load(Ordering::Relaxed), Ordering::Relaxed);
        drop(stolen);
    });
}
