//! HTTP/2 by hand.

/// A frame of HTTP/2: its type, flags and stream, and what is in it.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub const SETTINGS: u8 = 4;
pub const RESET: u8 = 3;
pub const HEADERS: u8 = 1;
/// `GET / http` to the host `x`, from HPACK's static table.
pub const GET_X: &[u8] = &[0x82, 0x84, 0x86, 0x41, 0x01, b'x'];
pub const DATA: u8 = 0;

/// A field as HPACK writes it, without its tables (RFC 7541 section 6.2.2).
pub fn field(name: &str, value: &str) -> Vec<u8> {
    let mut field = vec![0];
    for text in [name, value] {
        // Lengths of 127 and more go on in a second byte.
        match u8::try_from(text.len()) {
            Ok(length @ ..127) => field.push(length),
            _ => field.extend([127, u8::try_from(text.len() - 127).unwrap()]),
        }
        field.extend(text.bytes());
    }
    field
}
