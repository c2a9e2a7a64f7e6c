//! Protocol 0: memory, processors, and which other protocols there are.
//!
//! [`CoreCall`] is what registers ask for. Lists of pages lie in memory: a
//! [`ListHeader`], then one word for each page, of the types
//! [`ValidationEntry`] and [`DepositEntry`].

mod call;
mod deposit;
mod list_header;
mod query;
mod validation;
mod vtom;

#[cfg(test)]
mod tests;

pub use call::{CoreCall, CoreCallNumber};
pub use deposit::{DepositEntry, WithdrawHeader};
pub use list_header::{ListError, ListHeader};
pub use query::{ProtocolQuery, ProtocolVersions};
pub use validation::{EntryError, Unchanged, ValidationAction, ValidationEntry};
pub use vtom::{VtomChange, VtomRequest, VtomSupport};

/// The version of the protocol that this crate describes.
pub const VERSION: u32 = 1;
