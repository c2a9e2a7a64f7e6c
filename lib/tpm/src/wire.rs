//! Part 2's types as they lie on the wire.
//!
//! | file | what |
//! |---|---|
//! | `codec` | reader and writer of single values |
//! | `macros` | tables from which structures, enumerations and attributes are made |
//! | `containers` | sized buffers and lists |
//! | `algorithm` | algorithm identifiers, and where each may stand |
//! | `bits` | attributes |
//! | `handle` | handles by type and number |
//! | `scheme` | schemes of keys and commands |
//! | `public`, `sensitive` | the two halves of objects |
//! | `option` | optional values in the device's own records |
//! | `symmetric` | symmetric definitions |
//! | `structure` | structures with no logic of their own |
//! | `pcr` | selections of PCRs, tagged digests |
//! | `ticket` | tickets |
//! | `nv` | public areas of NV indices |

pub(crate) mod algorithm;
pub(crate) mod bits;
pub(crate) mod codec;
pub(crate) mod containers;
pub(crate) mod handle;
pub(crate) mod macros;
pub(crate) mod nv;
pub(crate) mod option;
pub(crate) mod pcr;
pub(crate) mod public;
pub(crate) mod scheme;
pub(crate) mod sensitive;
pub(crate) mod structure;
pub(crate) mod symmetric;
pub(crate) mod ticket;
