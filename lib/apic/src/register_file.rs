//! What the local APIC's registers do, in both modes alike.

use crate::apic_base::Mode;
use crate::local_apic::{LocalApic, Outgoing};
use crate::local_vector::LocalVector;
use crate::logical_destination::x2apic_logical_id;
use crate::moment::Moment;
use crate::register::Register;

/// The version register: 0x14 is that of every xAPIC and x2APIC without
/// suppression of EOI broadcasts, and the greatest local vector has the number
/// 5 [SDM 3A §11.4.8].
const VERSION: u32 = (LocalVector::COUNT as u32 - 1) << 16 | 0x14;

/// The bit of a local vector that masks it.
const MASKED: u32 = 1 << 16;

impl LocalApic {
    /// Reads a register, of the interrupt command the low half. Registers that
    /// can only be written read as zero.
    pub(crate) fn read(&mut self, register: Register, now: Moment) -> u32 {
        self.advance(now);
        let registers = &self.registers;
        match register {
            Register::Id if self.mode() == Mode::X2apic => self.id(),
            Register::Id => self.id() << 24,
            Register::Version => VERSION,
            Register::TaskPriority => registers.interrupts.task_priority().into(),
            Register::ProcessorPriority => registers.interrupts.processor_priority().into(),
            Register::EndOfInterrupt | Register::SelfInterrupt => 0,
            Register::LogicalDestination if self.mode() == Mode::X2apic => {
                x2apic_logical_id(self.id())
            }
            Register::LogicalDestination => registers.logical.id_bits(),
            Register::DestinationFormat => registers.logical.format_bits(),
            Register::SpuriousVector => registers.spurious,
            Register::InService(word) => registers.interrupts.in_service().register(word),
            Register::TriggerMode(word) => registers.interrupts.level_triggered().register(word),
            Register::InterruptRequest(word) => registers.interrupts.requested().register(word),
            Register::ErrorStatus => registers.errors.bits(),
            Register::InterruptCommand => registers.command as u32,
            Register::InterruptCommandHigh => (registers.command >> 32) as u32,
            Register::Local(vector) => registers.local_vectors.bits(vector),
            Register::InitialCount => registers.timer.initial_count(),
            Register::CurrentCount => registers.timer.current_count(now),
            Register::DivideConfiguration => registers.timer.divide_configuration(),
        }
    }

    /// Writes a register, but for those of the interrupt command, whose form
    /// depends on the mode. Bits that cannot be set are ignored, and so are
    /// registers that can only be read.
    pub(crate) fn write(
        &mut self,
        register: Register,
        value: u32,
        now: Moment,
    ) -> Option<Outgoing> {
        self.advance(now);
        let registers = &mut self.registers;
        match register {
            Register::TaskPriority => registers.interrupts.set_task_priority(value as u8),
            Register::EndOfInterrupt => return self.end_of_interrupt(),
            Register::LogicalDestination => registers.logical.set_id_bits(value),
            Register::DestinationFormat => registers.logical.set_format_bits(value),
            Register::SpuriousVector => {
                registers.spurious = value & 0x3ff;
                if !self.is_software_enabled() {
                    self.registers.local_vectors.mask_all();
                }
            }
            Register::ErrorStatus => registers.errors.latch(),
            Register::Local(vector) => self.write_local_vector(vector, value),
            Register::InitialCount => registers.timer.set_initial_count(value, now),
            Register::DivideConfiguration => registers.timer.set_divide_configuration(value, now),
            Register::Id
            | Register::Version
            | Register::ProcessorPriority
            | Register::InService(_)
            | Register::TriggerMode(_)
            | Register::InterruptRequest(_)
            | Register::InterruptCommand
            | Register::InterruptCommandHigh
            | Register::CurrentCount
            | Register::SelfInterrupt => {}
        }
        None
    }

    /// While software has not enabled the local APIC, local vectors stay masked
    /// [SDM 3A §11.4.7.2].
    fn write_local_vector(&mut self, vector: LocalVector, value: u32) {
        let value = if self.is_software_enabled() { value } else { value | MASKED };
        self.registers.local_vectors.write(vector, value);
        let mode = self.registers.local_vectors.timer_mode();
        self.registers.timer.set_mode(mode);
    }
}
