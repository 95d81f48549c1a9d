//! Room on one volume's disk: what it last told, asked in the background.

use std::time::Duration;
use std::time::Instant;

use parking_lot::Mutex;

use crate::sys::disk::Space;
use crate::volume;

/// How old an answer may be before the disk is asked again.
const FRESH: Duration = Duration::from_secs(1);

/// What a disk told about its room.
#[derive(Default)]
pub(in crate::store) struct Room {
    told: Mutex<Option<Space>>,
    asked: Mutex<Option<Instant>>,
}

impl Room {
    /// What the disk last told; `None` when it never did.
    pub(in crate::store) fn space(&self) -> Option<Space> {
        *self.told.lock()
    }

    /// Remembers what it told.
    pub(in crate::store) fn tell(&self, space: Space) {
        *self.told.lock() = Some(space);
    }

    /// Whether the reserve is untouched, as far as is known.
    pub(super) fn is_enough(&self) -> bool {
        self.space().is_none_or(|space| volume::has_room(space, 0))
    }

    /// Whether it is time to ask, which the caller does then. A try: whoever holds the lock is asking already.
    pub(super) fn is_due(&self) -> bool {
        let now = Instant::now();
        let Some(mut asked) = self.asked.try_lock() else { return false };
        let due = asked.is_none_or(|asked| now.duration_since(asked) >= FRESH);
        if due {
            *asked = Some(now);
        }
        due
    }
}
