//! How U is distributed if both samples come from the same distribution, without ties.

/// The most pairs for which all chances are worked out (50 against 50).
pub(super) const MOST_PAIRS: u128 = 2_500;

/// The chances of U = 0, 1, …, n·m; `None` for more pairs than [`MOST_PAIRS`].
///
/// By Mann and Whitney's recurrence on which sample has the largest observation ("On a test of
/// whether one of two random variables is stochastically larger than the other", Ann. Math.
/// Statist. 18, 1947), in chances: all terms are positive, so that the far tail keeps its digits.
pub(super) fn distribution(n: u64, m: u64) -> Option<Vec<f64>> {
    if u128::from(n) * u128::from(m) > MOST_PAIRS {
        return None;
    }
    let (n, m) = (usize::try_from(n.max(m)).ok()?, usize::try_from(n.min(m)).ok()?);
    // Of i against 0, 1, …, m observations; first of none.
    let mut row: Vec<Vec<f64>> = vec![vec![1.0]; m + 1];
    for i in 1..=n {
        let mut next = vec![vec![1.0]];
        for j in 1..=m {
            let all = (i + j) as f64;
            let (first, second) = (i as f64 / all, j as f64 / all);
            let mut chances = vec![0.0; i * j + 1];
            // The largest is of the first sample: it is above all j of the second.
            for (u, chance) in row.get(j)?.iter().enumerate() {
                *chances.get_mut(u + j)? += first * chance;
            }
            for (u, chance) in next.get(j - 1)?.iter().enumerate() {
                *chances.get_mut(u)? += second * chance;
            }
            next.push(chances);
        }
        row = next;
    }
    row.pop()
}
