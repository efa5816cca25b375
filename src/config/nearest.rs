//! "Did you mean": the known word that is written most like a given one.

/// The word of `known` that `found` was probably meant to be: at most two slips away, or a third
/// of its length.
pub(crate) fn nearest<'a>(
    found: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // What nobody types by mistake is not compared: the comparison takes time that grows with both.
    if found.len() > 128 {
        return None;
    }
    known
        .into_iter()
        .filter(|word| word.len() <= 128)
        // Of two as near, the one as long: letters are more often swapped than left out.
        .map(|word| (slips(found, word), found.len().abs_diff(word.len()), word))
        .min()
        // With as many slips as letters any word becomes any other.
        .filter(|(slips, _, word)| {
            *slips <= 2.max(word.len() / 3) && *slips < found.chars().count()
        })
        .map(|(_, _, word)| word)
}

/// How many letters were left out, put in, changed, or swapped with their neighbour: the optimal
/// string alignment distance.
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (above[j] + usize::from(x != y)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_what_was_meant() {
        let known = ["sample", "timeout", "methods"];
        for (found, meant) in [
            ("smple", Some("sample")),
            ("tiemout", Some("timeout")),
            ("method", Some("methods")),
            ("Sample", Some("sample")),
            ("rate", None),
            ("", None),
        ] {
            assert_eq!(nearest(found, known), meant, "{found}");
        }
    }
}
