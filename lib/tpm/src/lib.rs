//! A TPM 2.0 device: a command goes in, a response comes out.
//!
//! [`Device`] is the trusted platform module of the TCG's Library
//! Specification, revision 1.59 ("Part 1" to "Part 4" in citations). It does no
//! I/O, has no global state and no `unsafe`. What it needs from outside it
//! borrows for each call ([`Platform`]): entropy, cryptography, time, physical
//! presence, and a store that makes several changes at once or none.
//!
//! # Rooms
//!
//! From the ground up; nothing imports upwards.
//!
//! | file | what |
//! |---|---|
//! | `response_code` | [`ResponseCode`]: errors with their positions |
//! | `identity` | who made the device |
//! | `wire` | Part 2's types, made from tables |
//! | `state` | what the device knows, and its encoding |
//! | `platform` | what it borrows |
//! | `memory_store` | the simplest store |
//! | `machine` | state and platform together: entities, names, tickets |
//! | `table` | the command table: codes, handles, roles, attributes |
//! | `request`, `call` | a command before and after its checks |
//! | `entity_guard`, `policy_check`, `parameter_encryption`, `authorization`, `response_area` | sessions |
//! | `object_rules`, `object_creation`, `new_object`, `signing`, `statement` | what objects are and do |
//! | `outer_wrap`, `inner_wrap`, `protection`, `context_wrap`, `secret_exchange` | what leaves the device, and how it is protected |
//! | `certificate` | certificates: read, completed |
//! | `nv_access`, `policy_update`, `policy_limits` | rules that several commands share |
//! | `algorithm_list` | the algorithms and what they are for |
//! | `commands` | Part 3, a file for each group |
//! | `dispatch`, `execute` | from bytes to handler and back |
//! | `endorsement`, `vendor` | what manufacturers and vendors add |
//! | `records` | state from records, and records of a state |
//! | `resumption` | the same for volatile state |
//! | `documentation` | the table as a page of the book |
//! | `device` | [`Device`]: power, time and the store |
//! | `signals` | what the platform tells it without a command |
//!
//! # How a command goes through
//!
//! 1. The header names a row of the table; the row says how many handles
//!    follow, what each may be, and how it has to be authorized.
//! 2. The authorization area is taken apart and checked: passwords, HMACs,
//!    policies. Wrong guesses are counted.
//! 3. The first parameter is decrypted if a session says so.
//! 4. The handler reads its parameters, all of them and nothing more, checks
//!    them and acts. A handler that fails has changed nothing.
//! 5. The response is authenticated, its first parameter encrypted if asked.
//! 6. Whatever became persistent is stored. Only then the response leaves.
//!
//! # State
//!
//! Persistent state is one record for the device and one for each NV index and
//! persistent object. A command that changes one index writes one record. Orderly
//! NV indices are stored at every change too, so a power cut never takes a counter
//! back. Everything else is volatile; a record of its own holds it when a device
//! is to go on elsewhere ([`Device::volatile_state`]). The records hold secrets in the clear: the
//! store that the platform lends encrypts and authenticates them.
//!
//! # What is here
//!
//! The commands of the table in `table.rs`, and only they; any other is answered
//! as unknown. What differs from the specification's letter or from the reference
//! implementation's habits is listed in the book, under "Deviations".
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod algorithm_list;
mod authorization;
mod call;
mod certificate;
mod commands;
mod context_wrap;
mod device;
mod dispatch;
mod documentation;
mod endorsement;
mod entity_guard;
mod execute;
pub mod identity;
mod inner_wrap;
mod machine;
mod memory_store;
mod new_object;
mod nv_access;
mod object_creation;
mod object_rules;
mod outer_wrap;
mod parameter_encryption;
mod platform;
mod policy_check;
mod policy_limits;
mod policy_update;
mod protection;
mod records;
mod request;
mod response_area;
mod response_code;
mod resumption;
mod secret_exchange;
mod signals;
mod signing;
mod state;
mod statement;
mod table;
#[cfg(test)]
mod tests;
mod vendor;
mod wire;

pub use device::{Device, PowerOnError, ProvisionError};
pub use documentation::command_table;
pub use endorsement::{ENDORSEMENT_TEMPLATES, EndorsementKey, EndorsementTemplate};
pub use memory_store::{MemoryStore, Records};
pub use platform::{
    Change, Clock, Entropy, EntropyError, PhysicalPresence, Platform, Store, StoreError,
};
pub use response_code::ResponseCode;
pub use state::volatile::VOLATILE_RECORD;
pub use table::command_name;
pub use vendor::VendorCommands;
