//! Which interrupt comes next.
//!
//! [APM 24593 §16.6.3 and §16.6.4], [SDM 3A §11.8.3 and §11.8.4]. A vector's
//! priority class is its upper four bits. Requested interrupts wait in the IRR;
//! the one that the processor takes moves to the ISR and blocks its own class
//! and those below until it ends. The task priority blocks classes by itself.

use crate::byte_set::ByteSet;
use crate::message::Trigger;

/// Vectors below belong to exceptions and never interrupt.
pub(crate) const FIRST_VECTOR: u8 = 16;

/// Requested and serviced interrupts of one processor, and its task priority.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupts {
    requested: ByteSet,
    in_service: ByteSet,
    level_triggered: ByteSet,
    task_priority: u8,
}

impl Interrupts {
    /// The interrupt request register.
    pub(crate) const fn requested(&self) -> &ByteSet {
        &self.requested
    }

    /// The in-service register.
    pub(crate) const fn in_service(&self) -> &ByteSet {
        &self.in_service
    }

    /// The trigger mode register: which vectors' end is reported.
    pub(crate) const fn level_triggered(&self) -> &ByteSet {
        &self.level_triggered
    }

    pub(crate) const fn task_priority(&self) -> u8 {
        self.task_priority
    }

    pub(crate) fn set_task_priority(&mut self, priority: u8) {
        self.task_priority = priority;
    }

    /// The processor priority: what an interrupt's class must exceed.
    pub(crate) fn processor_priority(&self) -> u8 {
        let serviced = self.in_service.highest().unwrap_or(0);
        if class(self.task_priority) >= class(serviced) {
            self.task_priority
        } else {
            serviced & 0xf0
        }
    }

    /// Requests an interrupt with `vector`, which is [`FIRST_VECTOR`] or
    /// greater. Whether it was not requested before: a second request for the
    /// same vector is one with the first.
    pub(crate) fn request(&mut self, vector: u8, trigger: Trigger) -> bool {
        debug_assert!(vector >= FIRST_VECTOR, "callers refuse the vectors of exceptions");
        match trigger {
            Trigger::Edge => self.level_triggered.remove(vector),
            Trigger::Level => self.level_triggered.insert(vector),
        };
        self.requested.insert(vector)
    }

    /// The interrupt that the processor takes next, if it takes interrupts.
    pub(crate) fn deliverable(&self) -> Option<u8> {
        let vector = self.requested.highest()?;
        (class(vector) > class(self.processor_priority())).then_some(vector)
    }

    /// The processor takes the interrupt that [`Self::deliverable`] names.
    pub(crate) fn acknowledge(&mut self) -> Option<u8> {
        let vector = self.deliverable()?;
        self.requested.remove(vector);
        self.in_service.insert(vector);
        Some(vector)
    }

    /// The interrupt with the highest vector in service ends: the vector, if
    /// there is one, and how it was triggered.
    pub(crate) fn end(&mut self) -> Option<(u8, Trigger)> {
        let vector = self.in_service.highest()?;
        self.in_service.remove(vector);
        let trigger =
            if self.level_triggered.contains(vector) { Trigger::Level } else { Trigger::Edge };
        Some((vector, trigger))
    }
}

/// The priority class of a vector or priority: 0 to 15.
const fn class(priority: u8) -> u8 {
    priority >> 4
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Request(u8, Trigger),
        Acknowledge,
        End,
        SetTaskPriority(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        let trigger = prop_oneof![Just(Trigger::Edge), Just(Trigger::Level)];
        prop_oneof![
            3 => (FIRST_VECTOR.., trigger).prop_map(|(v, t)| Step::Request(v, t)),
            2 => Just(Step::Acknowledge),
            2 => Just(Step::End),
            1 => any::<u8>().prop_map(Step::SetTaskPriority),
        ]
    }

    /// The manual's rule, read from plain lists.
    fn expected_priority(task_priority: u8, in_service: &[u8]) -> u8 {
        let serviced = in_service.iter().copied().max().unwrap_or(0);
        if task_priority / 16 >= serviced / 16 { task_priority } else { serviced / 16 * 16 }
    }

    proptest! {
        #[test]
        fn interrupts_are_kept_ordered_and_above_the_priority(
            steps in prop::collection::vec(step(), 0..300),
        ) {
            let mut interrupts = Interrupts::default();
            let mut requested = Vec::new();
            let mut in_service: Vec<u8> = Vec::new();
            let mut task_priority = 0;
            for step in steps {
                match step {
                    Step::Request(vector, trigger) => {
                        let is_new = interrupts.request(vector, trigger);
                        prop_assert_eq!(is_new, !requested.contains(&vector));
                        if is_new {
                            requested.push(vector);
                        }
                        let is_level = interrupts.level_triggered().contains(vector);
                        prop_assert_eq!(is_level, trigger == Trigger::Level);
                    }
                    Step::Acknowledge => {
                        let priority = expected_priority(task_priority, &in_service);
                        let highest = requested.iter().copied().max();
                        let expected = highest.filter(|vector| vector / 16 > priority / 16);
                        prop_assert_eq!(interrupts.deliverable(), expected);
                        prop_assert_eq!(interrupts.acknowledge(), expected);
                        if let Some(vector) = expected {
                            requested.retain(|other| *other != vector);
                            prop_assert!(!in_service.contains(&vector));
                            in_service.push(vector);
                        }
                    }
                    Step::End => {
                        let expected = in_service.iter().copied().max();
                        let trigger = |vector| {
                            let is_level = interrupts.level_triggered().contains(vector);
                            if is_level { Trigger::Level } else { Trigger::Edge }
                        };
                        let expected = expected.map(|vector| (vector, trigger(vector)));
                        prop_assert_eq!(interrupts.end(), expected);
                        if let Some((vector, _)) = expected {
                            in_service.retain(|other| *other != vector);
                        }
                    }
                    Step::SetTaskPriority(priority) => {
                        interrupts.set_task_priority(priority);
                        task_priority = priority;
                    }
                }
                requested.sort_unstable();
                in_service.sort_unstable();
                prop_assert!(interrupts.requested().iter().eq(requested.iter().rev().copied()));
                prop_assert!(interrupts.in_service().iter().eq(in_service.iter().rev().copied()));
                let priority = expected_priority(task_priority, &in_service);
                prop_assert_eq!(interrupts.processor_priority(), priority);
            }
        }
    }

    #[test]
    fn same_class_waits_for_the_end() {
        let mut interrupts = Interrupts::default();
        interrupts.request(0x41, Trigger::Edge);
        assert_eq!(interrupts.acknowledge(), Some(0x41));
        interrupts.request(0x4f, Trigger::Edge);
        assert_eq!((interrupts.processor_priority(), interrupts.acknowledge()), (0x40, None));
        interrupts.request(0x50, Trigger::Edge);
        assert_eq!(interrupts.acknowledge(), Some(0x50));
        assert_eq!(interrupts.end(), Some((0x50, Trigger::Edge)));
        assert_eq!(interrupts.acknowledge(), None);
        assert_eq!(interrupts.end(), Some((0x41, Trigger::Edge)));
        assert_eq!(interrupts.acknowledge(), Some(0x4f));
    }
}
