//! What every layer is told of its experiment.

/// The methods of a layer by whose `arms` alone it is decided who gets what.
macro_rules! name_and_epoch {
    () => {
        /// Names the experiment (`default` until then).
        #[must_use]
        pub fn experiment(mut self, name: &str) -> Self {
            self.arms = self.arms.named(name);
            self
        }

        /// Counts the epochs on from this one: that of the layer which this one replaces.
        #[must_use]
        pub fn following(mut self, previous: $crate::assign::Epoch) -> Self {
            self.arms = self.arms.following(previous);
            self
        }

        /// The version of what decides who gets what: here, which configs there are.
        pub fn epoch(&self) -> $crate::assign::Epoch {
            self.arms.epoch()
        }
    };
}

pub(crate) use name_and_epoch;
