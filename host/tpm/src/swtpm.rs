//! swtpm's protocol: bare commands on one channel, control on another
//! [swtpm_ioctls(3)].
//!
//! | file | what |
//! |---|---|
//! | `request` | requests of the control channel as types |
//! | `control` | what the control channel does |
//! | `data` | what the data channel does |

pub(crate) mod control;
pub(crate) mod data;
mod request;
