//! How two answers are compared.

use super::Differences;

/// Compares what a shadow answered with what the primary answered. A closure does:
/// `|primary: &Answer, shadow: &Answer| primary.price == shadow.price`, if the answer can be cloned.
///
/// `T` is what a shadow's response is [settled](crate::carrier::Settle) to: the response itself around
/// a plain service, `http::Response<`[`Settled`](crate::http::Settled)`>` around an HTTP service.
pub trait Compare<T>: Send + Sync + 'static {
    /// What of an answer is kept until both are there.
    type Kept: Send + Sync + 'static;

    /// Keeps of an answer what the comparison needs. The primary's is asked for on the caller's
    /// path: keep it short.
    fn keep(&self, answer: &T) -> Self::Kept;

    /// As [`keep`](Self::keep), of an answer that nobody else needs.
    fn take(&self, answer: T) -> Self::Kept {
        self.keep(&answer)
    }

    /// Whether it can be said at once, and cheaply, that nothing differs. What is not the same here
    /// is [compared](Self::compare) in the background.
    fn is_same(&self, _primary: &Self::Kept, _shadow: &Self::Kept) -> bool {
        false
    }

    /// What differs.
    fn compare(&self, primary: &Self::Kept, shadow: &Self::Kept) -> Differences;

    /// Whether there is anything to compare at all.
    fn is_on(&self) -> bool {
        true
    }
}

impl<T, D, F> Compare<T> for F
where
    T: Clone + Send + Sync + 'static,
    D: Into<Differences>,
    F: Fn(&T, &T) -> D + Send + Sync + 'static,
{
    type Kept = T;

    fn keep(&self, answer: &T) -> T {
        answer.clone()
    }

    fn take(&self, answer: T) -> T {
        answer
    }

    fn compare(&self, primary: &T, shadow: &T) -> Differences {
        self(primary, shadow).into()
    }
}

/// Answers are not compared.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoComparison;

impl<T: 'static> Compare<T> for NoComparison {
    type Kept = ();

    fn keep(&self, _: &T) {}

    fn compare(&self, (): &(), (): &()) -> Differences {
        Differences::default()
    }

    fn is_on(&self) -> bool {
        false
    }
}

impl<T: 'static, V: Compare<T>> Compare<T> for Option<V> {
    type Kept = Option<V::Kept>;

    fn keep(&self, answer: &T) -> Self::Kept {
        self.as_ref().map(|rule| rule.keep(answer))
    }

    fn take(&self, answer: T) -> Self::Kept {
        self.as_ref().map(|rule| rule.take(answer))
    }

    fn is_same(&self, primary: &Self::Kept, shadow: &Self::Kept) -> bool {
        match (self, primary, shadow) {
            (Some(rule), Some(primary), Some(shadow)) => rule.is_same(primary, shadow),
            _ => true,
        }
    }

    fn compare(&self, primary: &Self::Kept, shadow: &Self::Kept) -> Differences {
        match (self, primary, shadow) {
            (Some(rule), Some(primary), Some(shadow)) => rule.compare(primary, shadow),
            _ => Differences::default(),
        }
    }

    fn is_on(&self) -> bool {
        self.as_ref().is_some_and(Compare::is_on)
    }
}
