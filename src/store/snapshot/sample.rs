//! Which units are in a sample.

/// Whether a unit is in the sample of this level: one of 2 to the power of it is.
///
/// Hashes are mixed, so that a sample does not depend on the assignment, which looks at other bits of the
/// hash: it has the shares that all of them have.
pub(super) const fn is_kept(unit: u64, level: u32) -> bool {
    mixed(unit).leading_zeros() >= level
}

/// Each bit of it depends on all bits of the unit (the finalizer of SplitMix64, variant 13 of Stafford's).
const fn mixed(unit: u64) -> u64 {
    let mut mixed = unit.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
