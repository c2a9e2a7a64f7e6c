//! Commands as bytes against a whole device.

mod agreement;
mod codes;
mod contexts;
mod credentials;
mod derivation;
mod duplication;
mod encryption;
mod guards;
mod hashing;
mod hierarchies;
mod launch;
mod macs;
mod making;
mod mutations;
mod nv;
mod objects;
mod pcrs;
mod policies;
mod power;
mod properties;
mod rig;
mod salts;
mod sessions;
mod signatures;
mod statements;
