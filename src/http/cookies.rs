//! `cookie` (RFC 6265), as far as a value is looked for.

use http::{HeaderMap, header};

/// The value of the first cookie of this name. What stands beside it may be any bytes: browsers send
/// cookies as pages set them.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .find_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}
