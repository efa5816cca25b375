//! The shadows' kill switch: one for all, and one for each.

use crate::shadow::ShadowHandle;

/// What an operator switched off is not switched on by a new file.
pub(super) fn keep(old: &ShadowHandle, new: &ShadowHandle) {
    new.set_enabled(old.is_enabled());
    for shadow in old.stats().iter().filter(|shadow| !shadow.enabled) {
        // One that is no longer there needs no switch.
        let _ = new.set_config_enabled(shadow.config_id.as_str(), false);
    }
}
