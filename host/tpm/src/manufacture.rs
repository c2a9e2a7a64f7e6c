//! Making a device that others can trust: seeds, endorsement keys, and their
//! certificates where software looks for them.
//!
//! | file | what |
//! |---|---|
//! | `public` | public keys as TPMs and as certificates write them |
//! | `authority` | who signs certificates |
//! | `certificate` | certificates of endorsement keys |
//! | `process` | the making |

mod authority;
mod certificate;
mod process;
mod public;

pub use authority::{Authority, AuthorityError};
pub use process::{ManufactureError, Origin, manufacture};
pub use public::PublicError;
