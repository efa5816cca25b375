//! "Did you mean …?"

/// The known word that is nearest to the one found, if one is near.
#[cfg(feature = "yaml")]
pub(super) fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|word| (strsim::damerau_levenshtein(found, word), word))
        .min()
        .filter(|(distance, word)| *distance <= 2.max(word.len() / 3) && *distance < found.len())
        .map(|(_, word)| word)
}

/// Without files there is nobody who mistypes.
#[cfg(not(feature = "yaml"))]
pub(super) fn nearest<'a>(_: &str, _: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    None
}
