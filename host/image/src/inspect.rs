//! Inspecting: an IGVM file so that a person understands it.
//!
//! [`Report::new`] gathers facts; `Display` prints them as text with aligned
//! columns, `serde::Serialize` gives them to machines. In JSON, addresses and
//! register values are strings `0x…`, sizes and counts are numbers.
//!
//! | part of the report | file |
//! |---|---|
//! | platforms, policies, relocation | `platform` |
//! | guest memory as a map, totals, required memory | `region` |
//! | parameter areas | `parameter` |
//! | initial processor states | `context`, `vmsa_registers`, `context_registers` |
//! | ID block, Hyper-V's VBS measurement | `identity`, `vbs_measurement` |
//! | launch digest | `launch` |
//! | boot block of this project's images | `boot_block` |

mod boot_block;
mod context;
mod context_registers;
mod identity;
mod launch;
mod number;
mod parameter;
mod platform;
mod region;
mod register;
mod report;
mod segment;
mod table;
mod text;
mod vbs_measurement;
mod vmsa_registers;

pub(crate) use table::{Align, Table};

pub use boot_block::{Boot, Content, Part};
pub use context::Context;
pub use identity::Identity;
pub use launch::{Launch, PageCount};
pub use number::{Bytes, Hex};
pub use parameter::{Parameter, ParameterArea};
pub use platform::{Platform, Policy, Relocation, platform_name};
pub use region::{Region, RequiredMemory, Total};
pub use register::Register;
pub use report::{FileFacts, Report, SkippedHeader};
pub use vbs_measurement::VbsMeasurement;

#[cfg(test)]
mod tests;
