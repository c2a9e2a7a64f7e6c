//! Several local APICs, an I/O APIC, and the messages between them.

use alloc::vec::Vec;
use core::num::NonZeroU64;

use abi_x86::Msr;

use crate::apic_base::ProcessorRole;
use crate::byte_set::ByteSet;
use crate::general_protection::GeneralProtection;
use crate::io_apic::{IoApic, Line, Pin};
use crate::local_apic::{LocalApic, Outgoing};
use crate::message::{DeliveryMode, Message};
use crate::moment::Moment;

/// A bus has room for 256 processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} processors do not fit on an interrupt bus, at most {max} do", max = Bus::MAX_PROCESSORS)]
pub struct TooManyProcessors(pub usize);

/// The interrupt controllers of a machine.
///
/// A processor is named by its position among those that the bus was made with.
/// Methods that take a position panic if there is no such processor.
///
/// The sets of processors that methods return are those that have something to
/// do now: an event or a deliverable interrupt that is new, or that an access of
/// the processor itself has made deliverable.
#[derive(Clone, Debug)]
pub struct Bus {
    local_apics: Vec<LocalApic>,
    io_apic: IoApic,
}

impl Bus {
    /// The greatest number of processors.
    pub const MAX_PROCESSORS: usize = 256;

    /// The controllers of a machine after reset. There is one processor for
    /// each of `ids`, the numbers of their local APICs, which should differ; the
    /// first is the bootstrap processor.
    ///
    /// # Errors
    ///
    /// More than [`Self::MAX_PROCESSORS`].
    pub fn new(ids: &[u32], time_stamp_hz: NonZeroU64) -> Result<Self, TooManyProcessors> {
        if ids.len() > Self::MAX_PROCESSORS {
            return Err(TooManyProcessors(ids.len()));
        }
        let roles = core::iter::once(ProcessorRole::Bootstrap)
            .chain(core::iter::repeat(ProcessorRole::Application));
        let local_apics =
            ids.iter().zip(roles).map(|(id, role)| LocalApic::new(*id, role, time_stamp_hz));
        Ok(Self { local_apics: local_apics.collect(), io_apic: IoApic::new() })
    }

    /// A processor's local APIC.
    #[must_use]
    pub fn local_apic(&self, processor: u8) -> &LocalApic {
        &self.local_apics[usize::from(processor)]
    }

    /// A processor's local APIC, to take what waits there. Accesses of software
    /// go through this bus instead, which delivers what they send.
    pub fn local_apic_mut(&mut self, processor: u8) -> &mut LocalApic {
        &mut self.local_apics[usize::from(processor)]
    }

    /// The I/O APIC.
    #[must_use]
    pub const fn io_apic(&self) -> &IoApic {
        &self.io_apic
    }

    /// A device sends a message, or a processor does.
    ///
    /// Each local APIC that the destination means gets it; for
    /// [`DeliveryMode::LowestPriority`] only one: of those that software has
    /// enabled the one with the lowest processor priority, and of several such
    /// the first.
    pub fn send(&mut self, message: &Message) -> ByteSet {
        let mut notified = ByteSet::EMPTY;
        let matching =
            each(&mut self.local_apics).filter(|(_, local)| local.matches(message.destination));
        if message.delivery_mode == DeliveryMode::LowestPriority {
            let enabled = matching.filter(|(_, local)| local.is_enabled());
            let lowest = enabled.min_by_key(|(_, local)| local.processor_priority());
            if let Some((processor, local)) = lowest
                && local.accept(message)
            {
                notified.insert(processor);
            }
        } else {
            for (processor, local) in matching {
                if local.accept(message) {
                    notified.insert(processor);
                }
            }
        }
        notified
    }

    /// A device's line at the I/O APIC changes, or stays as it is.
    pub fn set_line(&mut self, pin: Pin, line: Line) -> ByteSet {
        self.io_apic.set_line(pin, line);
        self.deliver_pins()
    }

    /// Makes a pin of the I/O APIC active until its interrupt has ended, see
    /// [`IoApic::hold_line`].
    pub fn hold_line(&mut self, pin: Pin) -> ByteSet {
        self.io_apic.hold_line(pin);
        self.deliver_pins()
    }

    /// A pin that was held and whose interrupt has ended, see
    /// [`IoApic::take_ended`].
    pub fn take_ended(&mut self) -> Option<Pin> {
        self.io_apic.take_ended()
    }

    /// Software reads a register of the I/O APIC.
    #[must_use]
    pub fn read_io_apic(&self, offset: u16) -> u32 {
        self.io_apic.read(offset)
    }

    /// Software writes a register of the I/O APIC.
    pub fn write_io_apic(&mut self, offset: u16, value: u32) -> ByteSet {
        self.io_apic.write(offset, value);
        self.deliver_pins()
    }

    /// A processor reads a register of its local APIC in memory, see
    /// [`LocalApic::read_register`]. Time passes up to `now` for that local
    /// APIC, so that its timer may interrupt.
    pub fn read_local(&mut self, processor: u8, offset: u16, now: Moment) -> u32 {
        self.local_apic_mut(processor).read_register(offset, now)
    }

    /// A processor writes a register of its local APIC in memory, see
    /// [`LocalApic::write_register`].
    pub fn write_local(&mut self, processor: u8, offset: u16, value: u32, now: Moment) -> ByteSet {
        let outgoing = self.local_apic_mut(processor).write_register(offset, value, now);
        self.deliver(processor, outgoing)
    }

    /// A processor reads an MSR of its local APIC. Time passes up to `now` for
    /// that local APIC, so that its timer may interrupt.
    ///
    /// # Errors
    ///
    /// #GP: see [`LocalApic::read_msr`].
    pub fn read_msr(
        &mut self,
        processor: u8,
        msr: Msr,
        now: Moment,
    ) -> Result<u64, GeneralProtection> {
        self.local_apic_mut(processor).read_msr(msr, now)
    }

    /// A processor writes an MSR of its local APIC.
    ///
    /// # Errors
    ///
    /// #GP: see [`LocalApic::write_msr`].
    pub fn write_msr(
        &mut self,
        processor: u8,
        msr: Msr,
        value: u64,
        now: Moment,
    ) -> Result<ByteSet, GeneralProtection> {
        let outgoing = self.local_apic_mut(processor).write_msr(msr, value, now)?;
        Ok(self.deliver(processor, outgoing))
    }

    /// Lets time pass up to `now` for every processor. Their time stamps agree;
    /// where they do not, advance each local APIC by itself.
    pub fn advance(&mut self, now: Moment) -> ByteSet {
        let mut notified = ByteSet::EMPTY;
        for (processor, local) in each(&mut self.local_apics) {
            if local.advance(now) {
                notified.insert(processor);
            }
        }
        notified
    }

    /// When to [`advance`](Self::advance) next, in nanoseconds; `None` if no
    /// timer runs.
    #[must_use]
    pub fn next_event_ns(&self, now: Moment) -> Option<u64> {
        self.local_apics.iter().filter_map(|local| local.next_event_ns(now)).min()
    }

    /// Delivers what an access of `processor` sends.
    fn deliver(&mut self, processor: u8, outgoing: Option<Outgoing>) -> ByteSet {
        let mut notified = match outgoing {
            None => ByteSet::EMPTY,
            Some(Outgoing::Interrupt(message)) => self.send(&message),
            Some(Outgoing::EndOfInterrupt(vector)) => {
                self.io_apic.end_of_interrupt(vector);
                self.deliver_pins()
            }
        };
        if self.local_apic(processor).has_work() {
            notified.insert(processor);
        }
        notified
    }

    /// Delivers what pins have to send. This ends: each pin sends once.
    fn deliver_pins(&mut self) -> ByteSet {
        let mut notified = ByteSet::EMPTY;
        while let Some(message) = self.io_apic.take_message() {
            notified.extend(&self.send(&message));
        }
        notified
    }
}

/// The local APICs with their positions, of which there are at most 256.
fn each(local_apics: &mut [LocalApic]) -> impl Iterator<Item = (u8, &mut LocalApic)> {
    (0..=u8::MAX).zip(local_apics)
}

#[cfg(test)]
mod tests;
