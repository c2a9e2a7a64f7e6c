//! What the device knows, by how long it knows it.
//!
//! | file | what | lives |
//! |---|---|---|
//! | `hierarchy` | seeds, proofs, authorizations and enables | persistent; the platform's until reset |
//! | `pcr` | banks and their allocation | until reset; allocation persistent |
//! | `nv` | NV indices | persistent; orderly ones are written at shutdown |
//! | `object` | objects | until reset, or persistent |
//! | `lockout` | protection against guessing | persistent |
//! | `time` | time, clock and counters of starts | persistent, clock in steps |
//! | `audit` | the set of audited commands and their digest | persistent set, digest until reset |
//! | `session`, `session_slots` | sessions | until reset |
//! | `commitment` | scalars promised by `TPM2_Commit` | until reset |
//! | `launch` | hash sequences started by signal | until reset |
//! | `sequence` | hash and HMAC sequences | until reset |
//! | `timer` | timers that ask the platform to act | until restart |
//! | `record` | the encoding of what is persistent | |
//! | `volatile` | the encoding of all else | |

pub(crate) mod audit;
pub(crate) mod commitment;
pub(crate) mod hierarchy;
pub(crate) mod launch;
pub(crate) mod lockout;
pub(crate) mod nv;
pub(crate) mod object;
pub(crate) mod pcr;
pub(crate) mod record;
pub(crate) mod sequence;
pub(crate) mod session;
pub(crate) mod session_slots;
pub(crate) mod time;
pub(crate) mod timer;
pub(crate) mod volatile;
