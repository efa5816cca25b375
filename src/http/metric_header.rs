//! Numbers that a service says of its branch in a response header.

use http::{HeaderMap, HeaderName};

/// The response header in which a service says numbers of its branch: `tokens=812, score=0.75`.
///
/// It is a dictionary of numbers, after [RFC 9651 section 3.2](https://www.rfc-editor.org/rfc/rfc9651#section-3.2),
/// and may stand several times. A [`LogLayer`](crate::LogLayer) reads it, in the head or in the trailers, as
/// [`Place::metric`](crate::Place::metric) would be told, and takes it out: neither the caller nor a comparison
/// sees it. Parameters (`;…`) mean nothing here; a member that is no number under a name is passed over and counted as
/// refused.
pub const METRIC_HEADER: HeaderName = HeaderName::from_static("x-spearmint-metric");

/// Takes the header out and says each of its members, one that is malformed as NaN.
pub(super) fn take(headers: &mut HeaderMap, mut say: impl FnMut(&str, f64)) {
    // Mostly it is not there: for as many headers as answers have, looking at their names costs a third of a look-up.
    if !headers.keys().any(|name| *name == METRIC_HEADER) {
        return;
    }
    for value in headers.get_all(METRIC_HEADER) {
        for member in value.as_bytes().split(|byte| *byte == b',') {
            let member = member.trim_ascii();
            if !member.is_empty() {
                let (name, value) = read(member).unwrap_or(("", f64::NAN));
                say(name, value);
            }
        }
    }
    headers.remove(METRIC_HEADER);
}

/// `name=number`, with or without parameters.
fn read(member: &[u8]) -> Option<(&str, f64)> {
    let (name, rest) = str::from_utf8(member).ok()?.split_once('=')?;
    let number = rest.split(';').next().unwrap_or(rest).trim_ascii();
    // `f64` would also take `inf` and `nan`.
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    plain.then(|| number.parse().ok()).flatten().map(|number| (name.trim_ascii(), number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn taken(values: &[&'static str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(METRIC_HEADER, HeaderValue::from_static(value));
        }
        headers.insert("x-other", HeaderValue::from_static("stays"));
        let mut said = Vec::new();
        take(&mut headers, |name, value| said.push(format!("{name}={value}")));
        assert_eq!(headers.len(), 1);
        said
    }

    #[test]
    fn each_member_is_a_number_under_a_name_wherever_it_stands() {
        assert_eq!(
            taken(&["tokens=812, score=0.75", "\tcost=-1e-3 ,score=1;unit=points"]),
            ["tokens=812", "score=0.75", "cost=-0.001", "score=1"]
        );
        assert!(taken(&[]).is_empty() && taken(&["", " , "]).is_empty());
    }

    #[test]
    fn a_malformed_member_is_told_as_no_number_and_leaves_the_others() {
        for wrong in ["tokens", "tokens=", "tokens=many", "tokens=inf", "tokens=nan", "a=\"1\""] {
            let member = HeaderValue::from_str(&format!("x=1, {wrong}, y=2")).unwrap();
            let mut headers = HeaderMap::from_iter([(METRIC_HEADER, member)]);
            let mut said = Vec::new();
            take(&mut headers, |name, value| said.push(format!("{name}={value}")));
            assert_eq!(said, ["x=1", "=NaN", "y=2"], "{wrong}");
        }
    }
}
