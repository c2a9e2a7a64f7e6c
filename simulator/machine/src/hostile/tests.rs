//! Scenarios, read and carried out.

mod answers;
mod deeds;
mod language;
mod properties;
mod samples;
mod victim;
