//! Launches that go well, and everything that is refused.

mod identity;
mod pages;
