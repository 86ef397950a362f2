//! From a file's bytes to UTF-8: what the encoding is when nobody said it, and the decoding.

use std::io::{Error, ErrorKind, Read};

use aggregates::application::Encoding;
use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Bytes that are decoded at a time.
const CHUNK: usize = 1 << 16;

/// Finds out how a file is encoded while its bytes pass: by its byte order mark, by the zero bytes of UTF-16, by being valid UTF-8,
/// and else as Windows-1252 if it holds nothing that such a text wouldn't. What remains is called UTF-8 and refused row by row.
pub struct Detector {
    /// The first four bytes.
    first: Vec<u8>,
    /// A character of which the rest is still to come.
    cut: Vec<u8>,
    is_utf8: bool,
    is_text: bool,
}

impl Default for Detector {
    fn default() -> Self {
        Self { first: Vec::new(), cut: Vec::new(), is_utf8: true, is_text: true }
    }
}

impl Detector {
    /// The next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let missing = 4_usize.saturating_sub(self.first.len()).min(bytes.len());
        self.first.extend_from_slice(&bytes[..missing]);
        // To the end, whatever comes: so it takes many bytes at once.
        self.is_text &= bytes.iter().fold(true, |is_text, byte| is_text & is_windows_text(*byte));
        let mut rest = bytes;
        while !self.cut.is_empty()
            && let Some((next, others)) = rest.split_first()
        {
            rest = others;
            self.cut.push(*next);
            let cut = std::mem::take(&mut self.cut);
            self.check(&cut);
        }
        self.check(rest);
    }

    fn check(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(_) => {}
            Err(error) if error.error_len().is_none() => self.cut = bytes[error.valid_up_to()..].to_vec(),
            Err(_) => self.is_utf8 = false,
        }
    }

    /// There are no more.
    pub fn found(&self) -> Encoding {
        let is_utf8 = self.is_utf8 && self.cut.is_empty();
        let told = of_mark(&self.first).or_else(|| of_zeros(&self.first));
        told.unwrap_or(if is_utf8 || !self.is_text { Encoding::Utf8 } else { Encoding::Windows1252 })
    }
}

/// What a byte order mark says.
fn of_mark(bytes: &[u8]) -> Option<Encoding> {
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => Some(Encoding::Utf8),
        [0xFF, 0xFE, ..] => Some(Encoding::Utf16le),
        [0xFE, 0xFF, ..] => Some(Encoding::Utf16be),
        _ => None,
    }
}

/// UTF-16 without a mark: of its first characters, which are a header's, every other byte is zero.
fn of_zeros(bytes: &[u8]) -> Option<Encoding> {
    match bytes {
        [low, 0, second, 0, ..] if *low != 0 && *second != 0 => Some(Encoding::Utf16le),
        [0, low, 0, second, ..] if *low != 0 && *second != 0 => Some(Encoding::Utf16be),
        _ => None,
    }
}

fn is_windows_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r') || (byte >= 0x20 && !matches!(byte, 0x7F | 0x81 | 0x8D | 0x8F | 0x90 | 0x9D))
}

/// A file as UTF-8. UTF-8 itself is passed on as it is: its faults are told row by row.
pub enum Text<R> {
    /// As it is.
    Plain(R),
    /// Decoded.
    Decoded(Box<Decoded<R>>),
}

/// A file that is decoded while it is read.
pub struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    encoding: Encoding,
    input: Vec<u8>,
    filled: usize,
    output: Vec<u8>,
    given: usize,
    written: usize,
    is_first: bool,
    is_at_end: bool,
}

impl<R: Read> Text<R> {
    /// The file's text, read by this encoding.
    pub fn new(inner: R, encoding: Encoding) -> Self {
        let decoder = match encoding {
            Encoding::Utf8 => return Self::Plain(inner),
            Encoding::Utf16le => UTF_16LE.new_decoder_with_bom_removal(),
            Encoding::Utf16be => UTF_16BE.new_decoder_with_bom_removal(),
            Encoding::Windows1252 => WINDOWS_1252.new_decoder_without_bom_handling(),
        };
        Self::Decoded(Box::new(Decoded {
            inner,
            decoder,
            encoding,
            input: vec![0; CHUNK],
            filled: 0,
            output: vec![0; CHUNK * 3 + 16],
            given: 0,
            written: 0,
            is_first: true,
            is_at_end: false,
        }))
    }
}

impl<R: Read> Decoded<R> {
    fn fill(&mut self) -> std::io::Result<()> {
        let read = self.inner.read(&mut self.input[self.filled..])?;
        self.filled += read;
        if self.is_first && read > 0 {
            self.is_first = false;
            if let Some(marked) = of_mark(&self.input[..self.filled]).filter(|marked| *marked != self.encoding) {
                return Err(self.fault(&format!("begins with the byte order mark of {}", marked.as_str())));
            }
        }
        self.is_at_end = read == 0;
        let (result, consumed, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.input[..self.filled],
            &mut self.output,
            self.is_at_end,
        );
        if matches!(result, DecoderResult::Malformed(..)) {
            return Err(self.fault("holds bytes that are no character of it"));
        }
        self.input.copy_within(consumed..self.filled, 0);
        self.filled -= consumed;
        (self.given, self.written) = (0, written);
        Ok(())
    }

    fn fault(&self, what: &str) -> Error {
        let message = format!("the end of what can be read as {}: the file {what}", self.encoding.as_str());
        Error::new(ErrorKind::InvalidData, message)
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let decoded = match self {
            Self::Plain(inner) => return inner.read(buffer),
            Self::Decoded(decoded) => decoded,
        };
        while decoded.given == decoded.written {
            if decoded.is_at_end {
                return Ok(0);
            }
            decoded.fill()?;
        }
        let text = &decoded.output[decoded.given..decoded.written];
        let size = text.len().min(buffer.len());
        buffer[..size].copy_from_slice(&text[..size]);
        decoded.given += size;
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "key,name\n1,Jos\u{e9} M\u{fc}ller \u{20ac}\n";

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    fn windows() -> Vec<u8> {
        WINDOWS_1252.encode(TEXT).0.into_owned()
    }

    /// Gives a byte at a time, as the worst of readers would.
    struct Drop<'a>(&'a [u8]);

    impl Read for Drop<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    /// The same at once and byte by byte.
    fn detect(bytes: &[u8]) -> Encoding {
        let (mut at_once, mut slowly) = (Detector::default(), Detector::default());
        at_once.push(bytes);
        for byte in bytes {
            slowly.push(&[*byte]);
        }
        assert_eq!(at_once.found(), slowly.found());
        at_once.found()
    }

    fn read(bytes: &[u8], encoding: Encoding) -> Result<String, String> {
        let mut text = String::new();
        Text::new(bytes, encoding).read_to_string(&mut text).map_err(|error| error.to_string())?;
        let mut slowly = String::new();
        Text::new(Drop(bytes), encoding).read_to_string(&mut slowly).map_err(|error| error.to_string())?;
        assert_eq!(text, slowly);
        Ok(text)
    }

    #[test]
    fn every_encoding_is_found_out_and_read_as_the_same_text() {
        let long = TEXT.repeat(10_000);
        for text in [TEXT, long.as_str()] {
            let marked = format!("\u{feff}{text}");
            for (bytes, encoding) in [
                (text.as_bytes().to_vec(), Encoding::Utf8),
                (utf16(text, u16::to_le_bytes), Encoding::Utf16le),
                (utf16(text, u16::to_be_bytes), Encoding::Utf16be),
                (utf16(&marked, u16::to_le_bytes), Encoding::Utf16le),
                (utf16(&marked, u16::to_be_bytes), Encoding::Utf16be),
                (WINDOWS_1252.encode(text).0.into_owned(), Encoding::Windows1252),
            ] {
                assert_eq!(detect(&bytes), encoding);
                assert_eq!(read(&bytes, encoding).unwrap(), text);
            }
            assert_eq!(detect(marked.as_bytes()), Encoding::Utf8);
        }
    }

    #[test]
    fn a_text_of_no_encoding_is_left_to_be_refused_as_utf8() {
        for bytes in [&b"PK\x03\x04\xff"[..], b"a\x81", b"a\0b\xff", b""] {
            assert_eq!(detect(bytes), Encoding::Utf8, "{bytes:?}");
        }
        assert_eq!(detect(&windows()), Encoding::Windows1252);
    }

    #[test]
    fn half_a_character_and_another_encodings_mark_are_faults() {
        let mut half = utf16(TEXT, u16::to_le_bytes);
        half.pop();
        assert!(read(&half, Encoding::Utf16le).unwrap_err().contains("no character of it"));
        let lone = [&utf16("a", u16::to_le_bytes)[..], &[0x00, 0xD8, 0x41, 0x00]].concat();
        assert!(read(&lone, Encoding::Utf16le).unwrap_err().contains("no character of it"));
        let marked = utf16(&format!("\u{feff}{TEXT}"), u16::to_be_bytes);
        assert!(read(&marked, Encoding::Utf16le).unwrap_err().contains("byte order mark of utf-16be"));
    }
}
