//! The first instructions, and the function that the binary goes on with.

mod pvh;
mod start;
