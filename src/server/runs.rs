//! Runs: `runs/…`.

use super::call::Route;

pub(super) const ROUTES: &[Route] = &[];
