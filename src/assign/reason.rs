//! Why a branch runs with its config.

use crate::named::named;

named! {
    /// Why a branch runs with its config. The names are the same in files, records and on the
    /// command line.
    Reason {
        /// Drawn at random, by weight.
        Weight = "weight",
        /// The unit's point on the weights' line.
        Sticky = "sticky",
        /// Its turn.
        Cycle = "cycle",
        /// A tester asked for it.
        Override = "override",
        /// The rules leave the request out: it got the default.
        Ineligible = "ineligible",
        /// The unit's point in the namespace belongs to another experiment, or to none: it got
        /// the default.
        NotInNamespace = "not_in_namespace",
        /// The unit is held out of all experiments: it got the default.
        Holdout = "holdout",
        /// Outside the ramp's share: it got the default.
        Ramp = "ramp",
        /// The request has no unit, and only units take part: it got the default.
        NoUnit = "no_unit",
        /// It is the primary, whatever the request.
        Primary = "primary",
        /// A shadow (or the control) of a sampled request.
        Sample = "sample",
        /// Every config runs.
        All = "all",
        /// It answers for one that could not be reached.
        Fallback = "fallback",
    }
}

impl Reason {
    /// Whether chance decided, so that the branch says something about its config in comparison
    /// with the others. What got the default, or what a tester asked for, does not: leave it out
    /// when you compare.
    ///
    /// ```
    /// use tower_spearmint::assign::Reason;
    ///
    /// assert!(Reason::Sticky.is_exposure());
    /// assert!(!Reason::Ramp.is_exposure() && !Reason::Override.is_exposure());
    /// ```
    pub const fn is_exposure(self) -> bool {
        !matches!(
            self,
            Self::Override
                | Self::Ineligible
                | Self::NotInNamespace
                | Self::Holdout
                | Self::Ramp
                | Self::NoUnit
                | Self::Fallback
        )
    }
}
