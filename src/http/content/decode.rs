//! Content codings (RFC 9110 section 8.4.1), undone, with a bound on what comes out.

use crate::caught::caught;
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status, bufread::MultiGzDecoder};
use http::{HeaderMap, header};
use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};
use std::{borrow::Cow, fmt, io::Read};

/// One body is not honestly encoded more often.
const MAX_CODINGS: usize = 4;

/// What a zstd frame may ask for as its window: 8 MiB, as over HTTP it must not ask for more
/// (RFC 9659). Brotli's is at most 16 MiB (RFC 7932).
const MAX_ZSTD_WINDOW: u64 = 8 << 20;

/// How much is decoded at a time.
const CHUNK: usize = 16 << 10;

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
    Unknown,
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Unknown => "an unknown coding",
        })
    }
}

/// Why a body was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Undecoded {
    /// No such coding is known here.
    Unknown,
    /// It is not what its header says.
    Broken(Coding),
    /// More would have come out of it than is allowed.
    TooLarge(Coding),
    /// It is said to be encoded more than four times.
    TooDeep,
}

/// The codings of a body, in the order in which they were applied.
pub(in crate::http) fn codings(headers: &HeaderMap) -> impl Iterator<Item = Coding> {
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"))
        .map(|name| {
            let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
            match name {
                _ if is(b"gzip") || is(b"x-gzip") => Coding::Gzip,
                _ if is(b"deflate") => Coding::Deflate,
                _ if is(b"br") => Coding::Brotli,
                _ if is(b"zstd") => Coding::Zstd,
                _ => Coding::Unknown,
            }
        })
}

/// What `body` is without its codings. None of them may make more than `max` bytes of it.
pub(in crate::http) fn decoded<'a>(
    headers: &HeaderMap,
    body: &'a [u8],
    max: usize,
) -> Result<Cow<'a, [u8]>, Undecoded> {
    let codings: Vec<_> = codings(headers).take(MAX_CODINGS + 1).collect();
    if codings.len() > MAX_CODINGS {
        return Err(Undecoded::TooDeep);
    }
    codings.into_iter().rev().try_fold(Cow::Borrowed(body), |body, coding| {
        let mut out = Out { bytes: Vec::new(), max };
        // A decoder that panics at hostile bytes has not decoded them.
        let result = caught(|| decode(coding, &body, &mut out)).unwrap_or(Err(Wrong::Broken));
        match result {
            Ok(()) => Ok(Cow::Owned(out.bytes)),
            Err(Wrong::Unknown) => Err(Undecoded::Unknown),
            Err(Wrong::Broken) => Err(Undecoded::Broken(coding)),
            Err(Wrong::TooLarge) => Err(Undecoded::TooLarge(coding)),
        }
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Unknown,
    Broken,
    TooLarge,
}

/// Decoded bytes, up to a bound.
struct Out {
    bytes: Vec<u8>,
    max: usize,
}

impl Out {
    fn push(&mut self, bytes: &[u8]) -> Result<(), Wrong> {
        if bytes.len() > self.max - self.bytes.len() {
            return Err(Wrong::TooLarge);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn read(&mut self, mut from: impl Read) -> Result<(), Wrong> {
        let mut chunk = [0; CHUNK];
        loop {
            match from.read(&mut chunk).map_err(|_| Wrong::Broken)? {
                0 => return Ok(()),
                read => self.push(&chunk[..read])?,
            }
        }
    }
}

fn decode(coding: Coding, body: &[u8], out: &mut Out) -> Result<(), Wrong> {
    match coding {
        Coding::Gzip => out.read(MultiGzDecoder::new(body)),
        Coding::Deflate => match inflate(body, true, out) {
            // It should be wrapped by zlib, but there are those who send it bare.
            Err(Wrong::Broken) => {
                out.bytes.clear();
                inflate(body, false, out)
            }
            result => result,
        },
        Coding::Brotli => brotli(body, out),
        Coding::Zstd => zstd(body, out),
        Coding::Unknown => Err(Wrong::Unknown),
    }
}

fn inflate(body: &[u8], zlib: bool, out: &mut Out) -> Result<(), Wrong> {
    let mut decoder = Decompress::new(zlib);
    let mut chunk = [0; CHUNK];
    let mut rest = body;
    loop {
        let (read, written) = (decoder.total_in(), decoder.total_out());
        let status = decoder
            .decompress(rest, &mut chunk, FlushDecompress::None)
            .map_err(|_| Wrong::Broken)?;
        // Both are lengths of slices, so they fit.
        let read = (decoder.total_in() - read) as usize;
        let written = (decoder.total_out() - written) as usize;
        rest = &rest[read..];
        out.push(&chunk[..written])?;
        match status {
            Status::StreamEnd if rest.is_empty() => return Ok(()),
            Status::Ok if read + written > 0 => {}
            // Cut off, or followed by something else.
            _ => return Err(Wrong::Broken),
        }
    }
}

fn brotli(body: &[u8], out: &mut Out) -> Result<(), Wrong> {
    let alloc = StandardAlloc::default;
    // Strict: windows of 16 MiB at most.
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let mut chunk = [0; CHUNK];
    let (mut left, mut at, mut total) = (body.len(), 0, 0);
    loop {
        let (mut room, mut written) = (chunk.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut at,
            body,
            &mut room,
            &mut written,
            &mut chunk,
            &mut total,
            &mut state,
        );
        out.push(&chunk[..written])?;
        match result {
            BrotliResult::ResultSuccess if left == 0 => return Ok(()),
            BrotliResult::NeedsMoreOutput => {}
            _ => return Err(Wrong::Broken),
        }
    }
}

fn zstd(mut rest: &[u8], out: &mut Out) -> Result<(), Wrong> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(MAX_ZSTD_WINDOW);
    if rest.is_empty() {
        return Err(Wrong::Broken);
    }
    while !rest.is_empty() {
        match decoder.init(&mut rest) {
            Ok(()) => {}
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                rest = rest.get(length as usize..).ok_or(Wrong::Broken)?;
                continue;
            }
            Err(_) => return Err(Wrong::Broken),
        }
        while !decoder.is_finished() {
            decoder
                .decode_blocks(&mut rest, BlockDecodingStrategy::UptoBytes(CHUNK))
                .map_err(|_| Wrong::Broken)?;
            out.read(&mut decoder)?;
        }
        out.read(&mut decoder)?;
        let said = decoder.get_checksum_from_data();
        if said.is_some() && said != decoder.get_calculated_checksum() {
            return Err(Wrong::Broken);
        }
    }
    Ok(())
}
