//! The shadows' kill switch.

use crate::{config::ConfigError, http::ShadowLayer};

pub(super) fn all(_shadows: &ShadowLayer, _is_on: bool) {}

pub(super) fn one(_shadows: &ShadowLayer, _id: &str, _is_on: bool) -> Result<(), ConfigError> {
    Ok(())
}

/// What an operator switched off is not switched on by a new file.
pub(super) fn keep(_old: &ShadowLayer, _new: &ShadowLayer) {}
