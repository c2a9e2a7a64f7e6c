//! Several processors under every order of events that `loom` can think of.
//!
//! The account of pages is one word here: whether the page is claimed.

extern crate std;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use self::registry::{Current, DeleteError, Registry};

/// What the registry stands on here.
mod atomic {
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering, fence};
}

#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "holds.rs"]
mod holds;
#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "processor_slot.rs"]
mod processor_slot;
#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "registry.rs"]
mod registry;
#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "vcpu_slot.rs"]
mod vcpu_slot;

const PAGE: u64 = 7;
const OTHER_PAGE: u64 = 8;

/// Tries orders with up to three changes of the running processor where it
/// could go on: more of them find nothing in so short programs, and take long.
fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(test);
}

/// Two processors; a virtual one on the second, with save area 20.
struct Machine {
    registry: Registry,
    /// Whether [`PAGE`] is claimed.
    claimed: AtomicU64,
    /// What a processor does with [`PAGE`], while nobody else may.
    content: loom::cell::UnsafeCell<u64>,
}

// The cell is watched by loom: that is the test.
impl Machine {
    fn new() -> Arc<Self> {
        let registry = Registry::new(&[0, 1], 2).unwrap();
        let new = registry.create(20, 1).unwrap();
        new.set_calling_area(OTHER_PAGE);
        new.ready();
        Arc::new(Self {
            registry,
            claimed: AtomicU64::new(0),
            content: loom::cell::UnsafeCell::new(0),
        })
    }

    /// As a guest page that is held: looks, and reads.
    fn read(&self, processor: usize) {
        let hold = self.registry.hold(processor, PAGE);
        if self.claimed.load(Ordering::Acquire) == 0 {
            self.content.with(|_| ());
        }
        drop(hold);
    }

    /// As a claim: takes the page for itself, if nobody holds it.
    fn change(&self) {
        if self.claimed.swap(1, Ordering::AcqRel) == 1 {
            return;
        }
        if self.registry.holder(PAGE, 1).is_none() {
            self.content.with_mut(|_| ());
        }
        self.claimed.store(0, Ordering::Release);
    }

    /// Moves the calling area of the virtual processor to [`PAGE`], and reads it
    /// there.
    fn remap(&self) {
        let Current::Vcpu(vcpu) = self.registry.current(1) else { return };
        let hold = self.registry.hold(1, PAGE);
        let is_free = self.claimed.load(Ordering::Acquire) == 0;
        if is_free && self.registry.other_user(1, PAGE, 1).is_none() {
            vcpu.calling().set_calling_area(PAGE);
            drop(hold);
            self.content.with(|_| ());
        }
    }
}

#[test]
fn a_page_is_read_or_changed() {
    model(|| {
        let machine = Machine::new();
        let other = Arc::clone(&machine);
        let reader = thread::spawn(move || other.read(0));
        machine.change();
        reader.join().unwrap();
    });
}

#[test]
fn a_page_becomes_a_calling_area_or_changes() {
    model(|| {
        let machine = Machine::new();
        let other = Arc::clone(&machine);
        let caller = thread::spawn(move || other.remap());
        machine.change();
        caller.join().unwrap();
    });
}

#[test]
fn two_processors_do_not_share_a_calling_area() {
    model(|| {
        let machine = Machine::new();
        let other = Arc::clone(&machine);
        let caller = thread::spawn(move || other.remap());
        let new = machine.registry.create(21, 0).unwrap();
        let hold = machine.registry.hold(0, PAGE);
        let is_free = machine.registry.other_user(0, PAGE, 0).is_none();
        if is_free {
            new.set_calling_area(PAGE);
        }
        drop(hold);
        caller.join().unwrap();
        let areas = machine.registry.calling_areas().filter(|(_, area)| *area == PAGE).count();
        assert!(areas <= 1);
        drop(new);
    });
}

#[test]
fn one_serves_or_another_deletes() {
    model(|| {
        let machine = Machine::new();
        let other = Arc::clone(&machine);
        let server = thread::spawn(move || match other.registry.current(1) {
            Current::Vcpu(vcpu) => {
                other.content.with_mut(|_| ());
                drop(vcpu);
            }
            Current::Changing | Current::None => {}
        });
        match machine.registry.delete(20) {
            Ok(dying) => {
                machine.content.with_mut(|_| ());
                dying.gone();
            }
            Err(error) => assert_eq!(error, DeleteError::InUse),
        }
        server.join().unwrap();
        match machine.registry.current(1) {
            Current::Vcpu(_) => {
                assert_eq!(machine.registry.delete(21).err(), Some(DeleteError::Unknown))
            }
            Current::None => {
                assert_eq!(machine.registry.delete(20).err(), Some(DeleteError::Unknown))
            }
            Current::Changing => panic!("nobody is changing it"),
        }
    });
}

#[test]
fn of_two_that_delete_one_does() {
    model(|| {
        let machine = Machine::new();
        let other = Arc::clone(&machine);
        let delete = |registry: &Registry| registry.delete(20).map(|dying| dying.gone()).is_ok();
        let second = thread::spawn(move || delete(&other.registry));
        let first = delete(&machine.registry);
        assert!(first != second.join().unwrap());
        assert!(matches!(machine.registry.current(1), Current::None));
    });
}

#[test]
fn a_new_one_comes_while_the_old_one_goes() {
    model(|| {
        let machine = Machine::new();
        let other = Arc::clone(&machine);
        let creator = thread::spawn(move || other.registry.create(21, 1).unwrap().ready());
        let gone = machine.registry.delete(20).map(|dying| dying.gone());
        assert!(gone.is_ok(), "nobody serves it");
        creator.join().unwrap();
        let Current::Vcpu(vcpu) = machine.registry.current(1) else { panic!("there is one") };
        assert_eq!(vcpu.calling().save_area(), 21);
    });
}

#[test]
fn a_new_one_is_deleted_at_once() {
    model(|| {
        let machine = Machine::new();
        let other = Arc::clone(&machine);
        let creator = thread::spawn(move || other.registry.create(21, 0).unwrap().ready());
        let gone = machine.registry.delete(21).map(|dying| dying.gone()).is_ok();
        creator.join().unwrap();
        // No announcement is left of one that is gone.
        match machine.registry.current(0) {
            Current::Vcpu(vcpu) => assert!(!gone && vcpu.calling().save_area() == 21),
            Current::None => assert!(gone),
            Current::Changing => panic!("nobody is changing it"),
        }
    });
}
