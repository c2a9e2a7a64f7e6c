//! The device's properties (TPM_PT) [Part 2 §6.13].

use alloc::vec::Vec;

use crate::identity::{
    FIRMWARE_VERSION, MANUFACTURER, MODEL, SPECIFICATION_LEVEL, SPECIFICATION_REVISION,
};
use crate::machine::{CONTEXT_HASH, Machine};
use crate::state::commitment::OPEN_COMMITMENTS;
use crate::state::object::{MAX_LOADED_OBJECTS, MAX_PERSISTENT};
use crate::state::session_slots::{MAX_ACTIVE, MAX_LOADED};
use crate::state::time::CLOCK_STEP_MS;
use crate::table::COMMANDS;
use crate::wire::bits::{Permanent, StartupClear};
use crate::wire::handle::{ENDORSEMENT, LOCKOUT, OWNER};
use crate::wire::nv::{MAX_NV_INDEX_SIZE, NvType};
use crate::wire::pcr::{PCR_COUNT, SELECT_SIZE};
use crate::wire::structure::{MAX_CONTEXT_BLOB, MAX_NV_BUFFER};

/// The largest command and response, in bytes.
pub(crate) const MAX_COMMAND: usize = 4096;

/// The largest TPMS_CAPABILITY_DATA, in bytes.
pub(crate) const MAX_CAP_BUFFER: u32 = 1024;

/// Properties and values, ascending: fixed ones from 0x100, variable ones from
/// 0x200.
pub(crate) fn properties(machine: &Machine<'_, '_>) -> Vec<(u32, u32)> {
    let mut all = fixed();
    all.extend(variable(machine));
    all
}

fn fixed() -> Vec<(u32, u32)> {
    let text = |bytes: &[u8; 4]| u32::from_be_bytes(*bytes);
    let size = |value: usize| u32::try_from(value).expect("sizes are small");
    let (model, _) = MODEL.as_chunks::<4>();
    alloc::vec![
        (0x100, text(b"2.0\0")),
        (0x101, SPECIFICATION_LEVEL),
        // Of 8 November 2019.
        (0x102, SPECIFICATION_REVISION),
        (0x103, 312),
        (0x104, 2019),
        (0x105, text(&MANUFACTURER)),
        (0x106, text(&model[0])),
        (0x107, text(&model[1])),
        (0x108, text(&model[2])),
        (0x109, text(&model[3])),
        (0x10A, 1),
        (0x10B, FIRMWARE_VERSION[0]),
        (0x10C, FIRMWARE_VERSION[1]),
        (0x10D, 1024),
        (0x10E, MAX_LOADED_OBJECTS),
        (0x10F, size(MAX_PERSISTENT)),
        (0x110, size(MAX_LOADED)),
        (0x111, MAX_ACTIVE),
        (0x112, PCR_COUNT),
        (0x113, size(SELECT_SIZE)),
        (0x114, u32::from(u16::MAX)),
        (0x116, 0),
        (0x117, u32::from(MAX_NV_INDEX_SIZE)),
        // Memory is not shared.
        (0x118, 0x0000_0006),
        (0x119, u32::try_from(CLOCK_STEP_MS).expect("2^22 fits")),
        (0x11A, u32::from(CONTEXT_HASH.number())),
        (0x11B, 0x0006),
        (0x11C, 256),
        (0x11D, 0),
        (0x11E, size(MAX_COMMAND)),
        (0x11F, size(MAX_COMMAND)),
        (0x120, 64),
        // Contexts of objects and of sessions: TPMS_CONTEXT with its buffer.
        (0x121, size(MAX_CONTEXT_BLOB + 18)),
        (0x122, size(MAX_CONTEXT_BLOB + 18)),
        // The PC Client profile: family, level, revision 1.05, of 4 September 2020.
        (0x123, text(b"2.0\0")),
        (0x124, 0),
        (0x125, 0x105),
        (0x126, 248),
        (0x127, 2020),
        // Commitments that can be open.
        (0x128, OPEN_COMMITMENTS),
        (0x129, size(COMMANDS.len())),
        (0x12A, size(COMMANDS.len())),
        (0x12B, 0),
        (0x12C, u32::from(MAX_NV_BUFFER)),
        (0x12D, 0),
        (0x12E, MAX_CAP_BUFFER),
    ]
}

fn variable(machine: &Machine<'_, '_>) -> Vec<(u32, u32)> {
    let state = &*machine.state;
    let size = |value: usize| u32::try_from(value).expect("counts are small");
    let has_value = |handle: u32| {
        state.hierarchies.authorization(handle).is_some_and(|found| !found.value.is_empty())
    };
    let mut permanent = Permanent::empty();
    permanent.set(Permanent::TPM_GENERATED_EPS, state.hierarchies.persistent.seed_generated);
    permanent.set(Permanent::OWNER_AUTH_SET, has_value(OWNER));
    permanent.set(Permanent::ENDORSEMENT_AUTH_SET, has_value(ENDORSEMENT));
    permanent.set(Permanent::LOCKOUT_AUTH_SET, has_value(LOCKOUT));
    permanent.set(Permanent::DISABLE_CLEAR, state.hierarchies.persistent.disable_clear);
    permanent.set(Permanent::IN_LOCKOUT, state.guard.is_locked());
    let volatile = &state.hierarchies.volatile;
    let mut start = StartupClear::empty();
    start.set(StartupClear::PLATFORM_ENABLED, state.hierarchies.platform_enabled);
    start.set(StartupClear::OWNER_ENABLED, volatile.owner_enabled);
    start.set(StartupClear::ENDORSEMENT_ENABLED, volatile.endorsement_enabled);
    start.set(StartupClear::PLATFORM_NV_ENABLED, volatile.platform_nv_enabled);
    start.set(StartupClear::ORDERLY, state.orderly_start);
    let counters =
        state.nv.all().filter(|(_, index)| index.public.nv_type() == Some(NvType::Counter)).count();
    let sessions = state.sessions.loaded().count();
    let active = sessions + state.sessions.saved().0.len();
    let persistent = state.objects.persistent().len();
    let lockout = &state.guard.stored;
    alloc::vec![
        (0x200, permanent.bits()),
        (0x201, start.bits()),
        (0x202, size(state.nv.all().count())),
        // Sessions: loaded, and those with saved contexts.
        (0x203, size(sessions)),
        (0x204, size(MAX_LOADED.saturating_sub(sessions))),
        (0x205, size(active)),
        (0x206, MAX_ACTIVE.saturating_sub(size(active))),
        (
            0x207,
            MAX_LOADED_OBJECTS
                .saturating_sub(size(state.sequences.len() + state.objects.transient.len())),
        ),
        (0x208, size(persistent)),
        (0x209, size(MAX_PERSISTENT.saturating_sub(persistent))),
        (0x20A, size(counters)),
        // Counters are limited as all indices are.
        (0x20B, 0),
        (0x20C, state.algorithm_set),
        (0x20D, 3),
        (0x20E, lockout.failed_tries),
        (0x20F, lockout.max_tries),
        (0x210, lockout.recovery_time),
        (0x211, lockout.lockout_recovery),
        (0x212, 0),
        (0x213, (state.audit.counter >> 32) as u32),
        (0x214, (state.audit.counter & 0xFFFF_FFFF) as u32),
    ]
}
