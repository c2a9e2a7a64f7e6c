//! The commands of Part 3, by group.

pub(crate) mod attest;
pub(crate) mod audit;
pub(crate) mod capability;
pub(crate) mod clock;
pub(crate) mod create;
pub(crate) mod hierarchy;
pub(crate) mod load;
pub(crate) mod lockout;
pub(crate) mod nv_define;
pub(crate) mod nv_lock;
pub(crate) mod nv_read;
pub(crate) mod nv_write;
pub(crate) mod object;
pub(crate) mod pcr;
pub(crate) mod policy;
pub(crate) mod policy_compare;
pub(crate) mod policy_ticket;
pub(crate) mod properties;
pub(crate) mod random;
pub(crate) mod self_test;
pub(crate) mod sequence;
pub(crate) mod session;
pub(crate) mod sign;
pub(crate) mod start;
