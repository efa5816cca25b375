//! Two samples, sorted together.

/// The most observations of both samples together; products of counts must fit 128 bits.
const MOST: u64 = 1 << 60;

/// Two samples as one histogram: the values that occur, ascending, and how often on either side.
///
/// A value may be infinite (a request that timed out lasted longer than any); only the
/// [`hodges_lehmann`](super::hodges_lehmann) shift cannot be taken then.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoSamples {
    buckets: Vec<Bucket>,
    treatment: u64,
    control: u64,
}

/// A value, and how often it occurs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bucket {
    pub(super) value: f64,
    pub(super) treatment: u64,
    pub(super) control: u64,
}

impl TwoSamples {
    /// Of these observations, in any order. `None` if one is NaN.
    ///
    /// ```
    /// use tower_spearmint::stats::fixed::TwoSamples;
    ///
    /// let samples = TwoSamples::of(&[3.0, 1.0, 3.0], &[2.0, 3.0]);
    /// assert_eq!(samples, TwoSamples::from_buckets([(1.0, 1, 0), (2.0, 0, 1), (3.0, 2, 1)]));
    /// ```
    pub fn of(treatment: &[f64], control: &[f64]) -> Option<Self> {
        let treatment = treatment.iter().map(|value| (*value, 1, 0));
        Self::from_buckets(treatment.chain(control.iter().map(|value| (*value, 0, 1))))
    }

    /// Of buckets: a value, how often the treatment has it, how often the control. In any order;
    /// equal values are added up. `None` if a value is NaN, or for more than 2⁶⁰ observations.
    pub fn from_buckets(buckets: impl IntoIterator<Item = (f64, u64, u64)>) -> Option<Self> {
        let mut given: Vec<Bucket> = buckets
            .into_iter()
            // 0 and −0 are one value.
            .map(|(value, treatment, control)| Bucket { value: value + 0.0, treatment, control })
            .collect();
        given.sort_unstable_by(|a, b| a.value.total_cmp(&b.value));
        let mut all = Self { buckets: Vec::new(), treatment: 0, control: 0 };
        for bucket in given {
            if bucket.value.is_nan() {
                return None;
            }
            if bucket.treatment == 0 && bucket.control == 0 {
                continue;
            }
            all.treatment = all.treatment.checked_add(bucket.treatment)?;
            all.control = all.control.checked_add(bucket.control)?;
            match all.buckets.last_mut() {
                Some(last) if last.value == bucket.value => {
                    last.treatment += bucket.treatment;
                    last.control += bucket.control;
                }
                _ => all.buckets.push(bucket),
            }
        }
        (all.treatment.checked_add(all.control)? <= MOST).then_some(all)
    }

    pub(super) fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// How many observations the treatment has.
    pub fn treatment(&self) -> u64 {
        self.treatment
    }

    /// How many the control.
    pub fn control(&self) -> u64 {
        self.control
    }

    /// How many pairs of an observation of each.
    pub(super) fn pairs(&self) -> u128 {
        u128::from(self.treatment) * u128::from(self.control)
    }
}
