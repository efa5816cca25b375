pub(crate) fn draw(_: &std::path::Path, _: usize) {}
