//! The ids of traces.

use crate::branch::BranchId;
use uuid::Uuid;

/// What they begin with.
const PREFIX: &str = "tr-";

/// The id of the trace whose id in OpenTelemetry is this.
pub(crate) fn of_bytes(id: [u8; 16]) -> String {
    let mut text = PREFIX.to_owned();
    text.push_str(Uuid::from_bytes(id).simple().encode_lower(&mut [0; 32]));
    text
}

/// The id of the trace that a request is.
pub(crate) fn of_request(id: BranchId) -> String {
    of_bytes(*id.as_bytes())
}

/// The request that a trace of this id is, if there is one; `None` where none can be.
pub(crate) fn request_of(id: &str) -> Option<BranchId> {
    let digits = id.strip_prefix(PREFIX)?;
    let plain = digits.len() == 32 && !digits.bytes().any(|byte| byte.is_ascii_uppercase());
    let id = Uuid::try_parse(digits).ok().filter(|_| plain)?;
    Some(BranchId::from_bytes(id.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_request_is_found_in_that_of_its_trace() {
        let request: BranchId = "0199e2b4-5f3c-7a21-8000-0000400012ab".parse().unwrap();
        let id = of_request(request);
        assert_eq!(id, "tr-0199e2b45f3c7a2180000000400012ab");
        assert_eq!(request_of(&id), Some(request));
        for id in ["", "tr-", "tr-0199E2B45F3C7A2180000000400012AB", "tr-0199e2b4", &id[1..]] {
            assert_eq!(request_of(id), None, "{id}");
        }
    }
}
