//! X.509 certificates that the device completes and signs [Part 3 §18.8; RFC
//! 5280].
//!
//! | file | what |
//! |---|---|
//! | `encoding` | DER, to be written |
//! | `algorithms` | keys and algorithms as certificates name them |
//! | `partial` | what the caller gives, and whether it may say that of a key |

pub(crate) mod algorithms;
pub(crate) mod encoding;
pub(crate) mod partial;
