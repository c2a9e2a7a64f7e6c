//! What platform and device tell each other without a command: the hash sequence
//! of a launch [Part 3 §22.9 to §22.11], and timers that have run out.

use crate::device::Device;
use crate::machine::State;
use crate::platform::Clock;
use crate::state::launch::extend_dynamic;
use crate::wire::handle::FIRST_TIMER;

impl Device {
    /// _TPM_Hash_Start: a launch begins to be measured. Only the platform's
    /// interface at locality 4 may pass this on.
    pub fn hash_start(&mut self) {
        self.state.launch.start();
    }

    /// _TPM_Hash_Data: what is measured. Without [`hash_start`](Self::hash_start)
    /// before it does nothing.
    pub fn hash_data(&mut self, data: &[u8]) {
        self.state.launch.update(data);
    }

    /// _TPM_Hash_End: the measurement is complete. Before `TPM2_Startup` it goes
    /// into PCR 0 at start-up; afterwards PCRs 17 to 22 are reset and PCR 17 is
    /// extended.
    pub fn hash_end(&mut self) {
        let Some(digests) = self.state.launch.finish() else { return };
        if self.state.started {
            extend_dynamic(&mut self.state.pcrs, &digests);
        } else {
            self.state.launch.keep(digests);
        }
    }

    /// The authenticated countdown timers that have run out and ask the platform
    /// to act: bit *n* for TPM_RH_ACT_*n*.
    pub fn signaled_timers(&mut self, clock: &dyn Clock) -> u16 {
        let State { time, timers, .. } = &mut self.state;
        time.advance(clock.now_ms());
        timers.advance(time.time);
        timers
            .all()
            .filter(|timer| timer.is_signaled())
            .fold(0, |bits, timer| bits | (1 << (timer.handle - FIRST_TIMER)))
    }
}
