//! `baggage` (W3C Baggage).

use crate::{branch::Role, trial::Place};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header::Entry};

const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
/// What every member of ours begins with.
const PREFIX: &[u8] = b"spearmint.";

/// What must be passed on at most: members, and bytes of them all (section 3.3.2 of the
/// recommendation). We do not add to more.
const MAX_MEMBERS: usize = 64;
const MAX_BYTES: usize = 8_192;

/// Which variant of an experiment a request is for, as somebody further up assigned it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Assignment {
    /// The name of the experiment.
    pub experiment: String,
    /// The id of the config.
    pub config_id: String,
    /// What the branch does for its request.
    pub role: Role,
}

/// The assignments that came with a request, in the order of its `baggage`; what cannot be read
/// is passed over.
pub fn assignments(headers: &HeaderMap) -> impl Iterator<Item = Assignment> + '_ {
    members(headers).filter_map(read)
}

/// The value of the first member with this key.
#[cfg(feature = "proxy")]
pub(crate) fn value(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let found = members(headers).find(|member| key(member) == wanted.as_bytes())?;
    let (_, value) = pair(found.split(|byte| *byte == b';').next()?)?;
    decoded(value)
}

fn members(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(BAGGAGE).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

/// `spearmint.ranker=candidate;role=shadow`
fn read(member: &[u8]) -> Option<Assignment> {
    let mut parts = member.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let (key, value) = pair(parts.next()?)?;
    let (_, role) = parts.filter_map(pair).find(|(key, _)| *key == b"role")?;
    let role = std::str::from_utf8(role).ok()?;
    Some(Assignment {
        experiment: decoded(key.strip_prefix(PREFIX)?)?,
        config_id: decoded(value)?,
        role: role.parse().ok()?,
    })
}

fn pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = text.iter().position(|byte| *byte == b'=')?;
    Some((text[..equals].trim_ascii(), text[equals + 1..].trim_ascii()))
}

/// The key alone: up to the value, or to the properties of a member without one.
fn key(member: &[u8]) -> &[u8] {
    let end = member.iter().position(|byte| matches!(byte, b'=' | b';'));
    member[..end.unwrap_or(member.len())].trim_ascii()
}

/// Adds the assignment at `place`, and those it is nested in.
pub(super) fn set(headers: &mut HeaderMap, place: &Place) {
    if let Some(outer) = place.parent() {
        set(headers, outer);
    }
    let own = member(place);
    // Most callers send none.
    if let Entry::Vacant(entry) = headers.entry(BAGGAGE) {
        if own.len() <= MAX_BYTES {
            entry.insert(own.clone());
        }
    } else if let Some(all) = joined(headers, own.as_bytes())
        // Only what was a value before is in it.
        && let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(all))
    {
        headers.insert(BAGGAGE, value);
    }
}

/// What is said of the branches of an arm in this role.
fn member(place: &Place) -> &HeaderValue {
    place.arm.in_headers.baggage[place.role() as usize].get_or_init(|| {
        let mut own = Vec::with_capacity(128);
        own.extend_from_slice(PREFIX);
        encode(&mut own, place.experiment());
        own.push(b'=');
        encode(&mut own, place.config_id().as_str());
        own.extend_from_slice(b";role=");
        own.extend_from_slice(place.role().as_str().as_bytes());
        // Only visible ASCII is left.
        HeaderValue::from_maybe_shared(Bytes::from(own))
            .unwrap_or_else(|_| HeaderValue::from_static(""))
    })
}

/// The members there are with `own` as the last. `None` when nothing is to be changed.
fn joined(headers: &mut HeaderMap, own: &[u8]) -> Option<Vec<u8>> {
    let is_own = |member: &[u8]| key(member) == key(own);
    let has_own = members(headers).any(is_own);
    let (mut count, mut all) = (0, Vec::with_capacity(256 + own.len()));
    for member in members(headers).filter(|member| !is_own(member)) {
        all.extend_from_slice(member);
        all.push(b',');
        count += 1;
    }
    if count < MAX_MEMBERS && all.len() + own.len() <= MAX_BYTES {
        all.extend_from_slice(own);
        return Some(all);
    }
    if !has_own {
        return None;
    }
    // Without room for what is true, what is not must go all the same.
    all.pop();
    if all.is_empty() {
        headers.remove(BAGGAGE);
        return None;
    }
    Some(all)
}

/// Percent-encodes all but what may stand in a key and in a value, and needs no second thought.
fn encode(to: &mut Vec<u8>, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            to.push(byte);
        } else {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 0xf));
            to.extend_from_slice(&[b'%', DIGITS[high], DIGITS[low]]);
        }
    }
}

fn decoded(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high << 4 | low).ok()?
            }
            byte => *byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::ConfigPool, trial::Arms};
    use proptest::prelude::*;
    use serde_json::json;

    fn place(experiment: &str, config_id: &str, role: Role) -> Place {
        let pool = ConfigPool::from_values([json!({ "config_id": config_id })]).unwrap();
        Place::first(&Arms::new(experiment, "single", &pool)[0], role, 1.0, None)
    }

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (BAGGAGE, value.parse().unwrap())).collect()
    }

    /// The baggage after the assignment was added to these.
    fn added(values: &[&str]) -> String {
        let mut headers = headers(values);
        set(&mut headers, &place("ranker", "b", Role::Shadow));
        let values: Vec<_> = headers.get_all(BAGGAGE).iter().map(|v| v.to_str().unwrap()).collect();
        values.join(" | ")
    }

    #[test]
    fn what_the_caller_sent_stays() {
        assert_eq!(added(&[]), "spearmint.ranker=b;role=shadow");
        assert_eq!(added(&[" ,"]), "spearmint.ranker=b;role=shadow");
        assert_eq!(
            added(&["a=1;x;y=z , b = 2", "c=%2C"]),
            "a=1;x;y=z,b = 2,c=%2C,spearmint.ranker=b;role=shadow"
        );
        assert_eq!(
            added(&["spearmint.other=a;role=primary"]),
            "spearmint.other=a;role=primary,spearmint.ranker=b;role=shadow"
        );
    }

    #[test]
    fn what_the_caller_said_of_the_same_experiment_is_replaced() {
        for own in
            ["spearmint.ranker=z;role=primary", "spearmint.ranker = z", "spearmint.ranker;x=y"]
        {
            assert_eq!(added(&[own, "a=1", own]), "a=1,spearmint.ranker=b;role=shadow");
        }
    }

    #[test]
    fn beyond_the_limits_nothing_is_added_but_what_is_not_true_goes() {
        let many = |count: usize| vec!["a=1"; count].join(",");
        assert!(added(&[&many(63)]).ends_with(",spearmint.ranker=b;role=shadow"));
        assert_eq!(added(&[&many(64)]), many(64));
        let false_one = format!("{},spearmint.ranker=z;role=primary", many(64));
        assert_eq!(added(&[&false_one]), many(64));
        let own = "spearmint.ranker=b;role=shadow".len();
        let long = |length: usize| format!("a={}", "x".repeat(length - 2));
        assert_eq!(added(&[&long(MAX_BYTES - own - 1)]).len(), MAX_BYTES);
        assert_eq!(added(&[&long(MAX_BYTES - own)]).len(), MAX_BYTES - own);
    }

    #[test]
    fn what_is_no_assignment_is_passed_over() {
        let headers = headers(&[
            "a=1, spearmint.x, spearmint.x=y, spearmint.x=y;role=king, spearmint.%zz=y;role=shadow",
            "spearmint.x=%e2%82;role=shadow, =;role=shadow, spearmint.x=y ; z ; role = control",
        ]);
        let found: Vec<_> = assignments(&headers).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((&*found[0].experiment, &*found[0].config_id), ("x", "y"));
        assert_eq!(found[0].role, Role::Control);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            experiment in "[^\\x00]{1,20}", id in "a[a-zA-Z0-9._/ €=;,%-]{0,18}z", at in 0..Role::ALL.len(),
            before in prop::collection::vec("[a-z]{1,3}=[!-+.-:<-~]{0,9}", 0..4),
        ) {
            let role = Role::ALL[at];
            let mut headers: HeaderMap =
                before.iter().map(|value| (BAGGAGE, value.parse().unwrap())).collect();
            set(&mut headers, &place(&experiment, &id, role));
            let found: Vec<_> = assignments(&headers).collect();
            prop_assert_eq!(found, [Assignment { experiment, config_id: id, role }]);
            let kept: Vec<_> = members(&headers).map(|m| String::from_utf8(m.to_vec()).unwrap()).collect();
            prop_assert_eq!(&kept[..before.len()], &before);
        }

        #[test]
        fn nothing_makes_the_reader_panic(bytes in any::<Vec<u8>>(), text in "[a-z.=;,% ]{0,40}") {
            let _ = decoded(&bytes);
            let _ = read(&bytes);
            let mut headers = HeaderMap::new();
            for value in [bytes.as_slice(), text.as_bytes()] {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    headers.append(BAGGAGE, value);
                }
            }
            let _ = assignments(&headers).count();
            set(&mut headers, &place("x", "y", Role::Primary));
        }
    }
}
