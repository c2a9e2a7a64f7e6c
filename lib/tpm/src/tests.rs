//! Commands as bytes against a whole device.

mod codes;
mod hashing;
mod hierarchies;
mod launch;
mod nv;
mod objects;
mod pcrs;
mod policies;
mod power;
mod properties;
mod rig;
mod sessions;
mod signatures;
