//! A processor's interrupt controller, in x2APIC mode.
//!
//! Registers are model-specific ones [APM 24593 §16.11]; how they are reached is
//! the platform's to say. Only interrupts between processors and the timer are
//! used: all inputs stay masked.

use abi_x86::Msr;

/// The registers of the own processor's controller.
pub(crate) trait Registers {
    /// What happens when a register cannot be accessed.
    type Error;

    /// Reads one.
    fn read(&self, register: Msr) -> Result<u64, Self::Error>;
    /// Writes one.
    fn write(&self, register: Msr, value: u64) -> Result<(), Self::Error>;
}

/// Base, mode and global enable [APM 24593 §16.3.1]: bit 10 is x2APIC mode, bit
/// 11 enables.
const X2APIC_ENABLE: u64 = 1 << 10 | 1 << 11;

const ID: Msr = Msr(0x802);
const END_OF_INTERRUPT: Msr = Msr(0x80b);
const SPURIOUS: Msr = Msr(0x80f);
const COMMAND: Msr = Msr(0x830);
const TIMER: Msr = Msr(0x832);
const INITIAL_COUNT: Msr = Msr(0x838);
const CURRENT_COUNT: Msr = Msr(0x839);
const DIVIDE: Msr = Msr(0x83e);

/// In the spurious vector register: the controller is on.
const SOFTWARE_ENABLE: u64 = 1 << 8;
/// In a local vector table entry: no interrupt.
const MASKED: u64 = 1 << 16;
/// In the divide register: by 1.
const DIVIDE_BY_1: u64 = 0b1011;
/// In the command register: a fixed interrupt is asserted.
const ASSERT: u64 = 1 << 14;
/// In the command register, in place of a fixed interrupt: INIT, and SIPI, whose
/// vector is the number of the page to start at [APM 24593 §16.5].
const INIT: u64 = 0b101 << 8;
const START_UP: u64 = 0b110 << 8;

/// Vector of interrupts between processors: look at your requests.
pub(crate) const CALL_VECTOR: u8 = 0xf0;
/// Vector of the timer.
pub(crate) const TIMER_VECTOR: u8 = 0xf1;
/// Vector of interrupts that went away before they were taken; there is nothing
/// to end.
pub(crate) const SPURIOUS_VECTOR: u8 = 0xff;

/// What the command register gets to interrupt another processor.
pub(crate) const fn call_command(apic_id: u32) -> u64 {
    (apic_id as u64) << 32 | ASSERT | CALL_VECTOR as u64
}

/// The own processor's controller.
pub(crate) struct LocalApic<R>(pub(crate) R);

impl<R: Registers> LocalApic<R> {
    /// Switches it on, with the timer stopped, and gives its identifier.
    pub(crate) fn enable(&self) -> Result<u32, R::Error> {
        let base = self.0.read(Msr::APIC_BASE)?;
        self.0.write(Msr::APIC_BASE, base | X2APIC_ENABLE)?;
        self.0.write(TIMER, MASKED)?;
        self.0.write(DIVIDE, DIVIDE_BY_1)?;
        self.0.write(SPURIOUS, SOFTWARE_ENABLE | u64::from(SPURIOUS_VECTOR))?;
        Ok(self.0.read(ID)? as u32)
    }

    /// Tells it that an interrupt has been dealt with.
    pub(crate) fn end_interrupt(&self) -> Result<(), R::Error> {
        self.0.write(END_OF_INTERRUPT, 0)
    }

    /// Makes another processor look at its requests.
    pub(crate) fn call(&self, apic_id: u32) -> Result<(), R::Error> {
        self.0.write(COMMAND, call_command(apic_id))
    }

    /// Puts another processor in the state that it waits in for [`start`].
    ///
    /// [`start`]: Self::start
    pub(crate) fn initialise(&self, apic_id: u32) -> Result<(), R::Error> {
        self.0.write(COMMAND, u64::from(apic_id) << 32 | ASSERT | INIT)
    }

    /// Starts another processor in real mode at the page of number `vector`, if it
    /// waits for that.
    pub(crate) fn start(&self, apic_id: u32, vector: u8) -> Result<(), R::Error> {
        let command = u64::from(apic_id) << 32 | ASSERT | START_UP | u64::from(vector);
        self.0.write(COMMAND, command)
    }

    /// Has the timer interrupt once after `ticks`, or not at all after 0.
    pub(crate) fn set_timer(&self, ticks: u32) -> Result<(), R::Error> {
        self.0.write(TIMER, if ticks == 0 { MASKED } else { TIMER_VECTOR.into() })?;
        self.0.write(INITIAL_COUNT, ticks.into())
    }

    /// Ticks that the timer makes while `pass_time` runs.
    pub(crate) fn count_ticks(&self, pass_time: impl FnOnce()) -> Result<u32, R::Error> {
        self.0.write(TIMER, MASKED)?;
        self.0.write(INITIAL_COUNT, u32::MAX.into())?;
        pass_time();
        let left = self.0.read(CURRENT_COUNT)? as u32;
        self.0.write(INITIAL_COUNT, 0)?;
        Ok(u32::MAX - left)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    /// Registers that keep what is written.
    #[derive(Default)]
    struct Model(RefCell<BTreeMap<u32, u64>>);

    impl Registers for &Model {
        type Error = core::convert::Infallible;

        fn read(&self, register: Msr) -> Result<u64, Self::Error> {
            Ok(self.0.borrow().get(&register.0).copied().unwrap_or(0))
        }

        fn write(&self, register: Msr, value: u64) -> Result<(), Self::Error> {
            self.0.borrow_mut().insert(register.0, value);
            Ok(())
        }
    }

    #[test]
    fn goes_on_in_x2apic_mode_with_its_timer_stopped() {
        let model = Model::default();
        model.0.borrow_mut().insert(0x1b, 0xfee0_0900);
        model.0.borrow_mut().insert(0x802, 7);
        assert_eq!(LocalApic(&model).enable(), Ok(7));
        let registers = model.0.borrow();
        assert_eq!(registers[&0x1b], 0xfee0_0d00);
        assert_eq!(registers[&0x80f], 0x1ff);
        assert_eq!(registers[&0x832], 1 << 16);
    }

    #[test]
    fn calls_one_processor() {
        let model = Model::default();
        assert_eq!(LocalApic(&model).call(0x1_0002), Ok(()));
        assert_eq!(model.0.borrow()[&0x830], 0x0001_0002_0000_40f0);
    }

    #[test]
    fn starts_one_processor() {
        let model = Model::default();
        assert_eq!(LocalApic(&model).initialise(3), Ok(()));
        assert_eq!(model.0.borrow()[&0x830], 0x0000_0003_0000_4500);
        assert_eq!(LocalApic(&model).start(0x1_0002, 0x9e), Ok(()));
        assert_eq!(model.0.borrow()[&0x830], 0x0001_0002_0000_469e);
    }

    #[test]
    fn timer_runs_once_or_not_at_all() {
        let model = Model::default();
        let apic = LocalApic(&model);
        assert_eq!(apic.set_timer(1000), Ok(()));
        assert_eq!((model.0.borrow()[&0x832], model.0.borrow()[&0x838]), (0xf1, 1000));
        assert_eq!(apic.set_timer(0), Ok(()));
        assert_eq!((model.0.borrow()[&0x832], model.0.borrow()[&0x838]), (1 << 16, 0));
        let count = apic.count_ticks(|| {
            model.0.borrow_mut().insert(0x839, u64::from(u32::MAX) - 12345);
        });
        assert_eq!(count, Ok(12345));
        assert_eq!(model.0.borrow()[&0x838], 0);
    }
}
