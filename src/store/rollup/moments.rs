//! How many, their sum, and the sum of their squares.

use super::encoding::{Reader, write};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// The sums that means and variances are made of. Whole numbers, so that parts add up to the
/// whole exactly and in any order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moments {
    count: i64,
    #[serde(serialize_with = "written", deserialize_with = "read")]
    sum: i128,
    #[serde(serialize_with = "written", deserialize_with = "read")]
    squares: i128,
}

/// In all its digits: a reader that holds no 128 bits takes it for the next number it has, and one that does
/// adds up exactly.
fn written<S: Serializer>(number: &i128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i128(*number)
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
    struct Number;
    impl de::Visitor<'_> for Number {
        type Value = i128;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }
        fn visit_i128<E: de::Error>(self, number: i128) -> Result<i128, E> {
            Ok(number)
        }
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<i128, E> {
            Ok(number.into())
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<i128, E> {
            Ok(number.into())
        }
        /// Of a reader in between that had no more than that.
        fn visit_f64<E: de::Error>(self, number: f64) -> Result<i128, E> {
            Ok(number as i128)
        }
    }
    deserializer.deserialize_i128(Number)
}

impl Moments {
    /// Of no values.
    pub const fn new() -> Self {
        Self { count: 0, sum: 0, squares: 0 }
    }

    /// Adds a value.
    pub fn add(&mut self, value: u64) {
        self.change(value, 1);
    }

    /// Adds all that `other` holds, exactly.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
        self.squares = self.squares.wrapping_add(other.squares);
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        u64::try_from(self.count).unwrap_or(0)
    }

    /// Their sum.
    pub fn sum(&self) -> u128 {
        u128::try_from(self.sum).unwrap_or(0)
    }

    /// The sum of their squares.
    pub fn squares(&self) -> u128 {
        u128::try_from(self.squares).unwrap_or(0)
    }

    /// Their mean; `None` if there are no values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    pub(super) fn change(&mut self, value: u64, by: i64) {
        // 146 years in ns. What is beyond would not fit its square.
        let value = i128::from(value.min(1 << 62));
        self.count += by;
        self.sum = self.sum.wrapping_add(value * i128::from(by));
        self.squares = self.squares.wrapping_add(value * value * i128::from(by));
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        write(out, u128::from(self.count.cast_unsigned()));
        if self.count != 0 {
            write(out, self.sum.cast_unsigned());
            write(out, self.squares.cast_unsigned());
        }
    }

    pub(super) fn decode(from: &mut Reader<'_>) -> Option<Self> {
        match from.i64()? {
            0 => Some(Self::new()),
            count => Some(Self { count, sum: from.i128()?, squares: from.i128()? }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole_and_read_back() {
        let (mut whole, mut part) = (Moments::new(), Moments::new());
        for value in [0, 3, 1_000_000_007, u64::MAX] {
            whole.add(value);
        }
        part.add(3);
        part.add(u64::MAX);
        let mut other = Moments::new();
        other.add(1_000_000_007);
        other.add(0);
        other.merge(&part);
        assert_eq!(other, whole);
        assert_eq!(whole.count(), 4);
        assert_eq!(part.sum(), 3 + (1 << 62));
        let mut bytes = Vec::new();
        whole.encode(&mut bytes);
        assert_eq!(Moments::decode(&mut Reader::new(&bytes)), Some(whole));
        let json = serde_json::to_string(&whole).unwrap();
        assert_eq!(serde_json::from_str::<Moments>(&json).unwrap(), whole);
        whole.change(3, -1);
        assert_eq!((whole.count(), Moments::new().mean()), (3, None));
    }
}
