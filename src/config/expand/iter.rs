//! Ways through a space. None of them holds more than where it is.

use super::{Point, Space, permute::Permutation};
use std::{iter::FusedIterator, ops::Range};

/// A run of indices of a space, those that are left out among them.
#[derive(Debug, Clone)]
pub struct Points<'a> {
    space: &'a Space,
    range: Range<u64>,
}

impl<'a> Points<'a> {
    pub(super) const fn new(space: &'a Space, range: Range<u64>) -> Self {
        Self { space, range }
    }

    /// The same run, without those that are left out.
    pub fn kept(self) -> Kept<'a> {
        Kept::new(self)
    }
}

impl<'a> Iterator for Points<'a> {
    type Item = Point<'a>;

    fn next(&mut self) -> Option<Point<'a>> {
        self.range.next().map(|index| Point::new(self.space, index))
    }

    fn nth(&mut self, n: usize) -> Option<Point<'a>> {
        self.range.nth(n).map(|index| Point::new(self.space, index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl DoubleEndedIterator for Points<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.range.next_back().map(|index| Point::new(self.space, index))
    }
}

/// (On a machine with 32-bit addresses, `len` panics beyond its 2³² indices.)
impl ExactSizeIterator for Points<'_> {}
impl FusedIterator for Points<'_> {}

/// A run of a space's configs, without those that are left out.
#[derive(Debug, Clone)]
pub struct Kept<'a> {
    points: Points<'a>,
}

impl<'a> Kept<'a> {
    pub(super) const fn new(points: Points<'a>) -> Self {
        Self { points }
    }
}

impl<'a> Iterator for Kept<'a> {
    type Item = Point<'a>;

    fn next(&mut self) -> Option<Point<'a>> {
        if self.points.space.is_filtered() {
            self.points.find(Point::is_kept)
        } else {
            self.points.next()
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.points.size_hint();
        if self.points.space.is_filtered() { (0, most) } else { (least, most) }
    }
}

impl FusedIterator for Kept<'_> {}

/// Different configs in random order.
#[derive(Debug, Clone)]
pub struct Sample<'a> {
    space: &'a Space,
    order: Permutation,
    /// Positions in the shuffled order.
    positions: Range<u64>,
    wanted: u64,
}

impl<'a> Sample<'a> {
    pub(super) fn new(space: &'a Space, count: u64, seed: u64) -> Self {
        let order = Permutation::new(space.len(), seed);
        Self { space, order, positions: 0..space.len(), wanted: count }
    }
}

impl<'a> Iterator for Sample<'a> {
    type Item = Point<'a>;

    fn next(&mut self) -> Option<Point<'a>> {
        self.wanted = self.wanted.checked_sub(1)?;
        let (space, order) = (self.space, self.order);
        self.positions
            .by_ref()
            .map(|position| Point::new(space, order.at(position)))
            .find(|point| !space.is_filtered() || point.is_kept())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let most = usize::try_from(self.wanted.min(self.positions.end - self.positions.start));
        let least = if self.space.is_filtered() { 0 } else { most.unwrap_or(usize::MAX) };
        (least, most.ok())
    }
}

impl FusedIterator for Sample<'_> {}
