//! The interrupt controller under restricted injection: the host's.

use super::registers::HostRegisters;
use crate::local_apic::LocalApic;

/// The own processor's.
pub(super) const CONTROLLER: LocalApic<HostRegisters> = LocalApic(HostRegisters);
