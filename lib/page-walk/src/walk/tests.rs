//! Tests of the walk, against tables that a builder of its own writes.

mod builder;
mod fixed;
mod properties;
