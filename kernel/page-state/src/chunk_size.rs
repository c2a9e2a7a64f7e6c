//! How many pages a chunk has.

/// Pages of a chunk, the unit that has a word of its own: 2 MiB.
pub const PAGES_PER_CHUNK: u64 = 512;
