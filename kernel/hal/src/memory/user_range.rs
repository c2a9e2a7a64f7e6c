//! Where user memory lies.

/// First address behind what a process can have: the lower half but its last
/// page, so that no access reaches beyond.
pub const USER_END: u64 = (1 << 47) - 4096;
