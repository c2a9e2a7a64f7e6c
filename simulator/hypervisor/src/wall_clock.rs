//! The time of day, from the PC's clock.
//!
//! [MC146818 data sheet]: a port selects a register, the next one holds it;
//! numbers are binary-coded decimals. QEMU keeps the clock in UTC.

use crate::device_ports::{read, write};
use crate::port::Width;

const SELECT: u16 = 0x70;
const DATA: u16 = 0x71;

const SECONDS: u32 = 0x00;
const MINUTES: u32 = 0x02;
const HOURS: u32 = 0x04;
const DAY: u32 = 0x07;
const MONTH: u32 = 0x08;
const YEAR: u32 = 0x09;
const STATUS_A: u32 = 0x0a;
const UPDATING: u32 = 1 << 7;

/// Seconds since 1970, for a clock between 2000 and 2099.
pub(crate) fn seconds() -> u64 {
    // The registers hold still for a while after an update.
    while register(STATUS_A) & UPDATING != 0 {}
    let [year, month, day] = [YEAR, MONTH, DAY].map(decimal);
    let [hours, minutes, seconds] = [HOURS, MINUTES, SECONDS].map(decimal);
    let days = days_since_1970(2000 + year, month.clamp(1, 12), day);
    ((days * 24 + hours) * 60 + minutes) * 60 + seconds
}

fn register(number: u32) -> u32 {
    write(SELECT, Width::One, number);
    read(DATA, Width::One)
}

fn decimal(number: u32) -> u64 {
    let value = register(number);
    u64::from((value >> 4) * 10 + (value & 0xf))
}

/// Years divisible by four are leap years, from 1970 to 2099.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    const BEFORE_MONTH: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap_days = (year - 1969) / 4 + u64::from(year.is_multiple_of(4) && month > 2);
    (year - 1970) * 365 + leap_days + BEFORE_MONTH[(month - 1) as usize] + day.saturating_sub(1)
}
