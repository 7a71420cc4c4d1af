//! What goes over the wire: a request is written at once, and comes back as a frame on each of the two outputs. Markers
//! begin with the request's own nonce, 128 random bits that nothing on the machine but the driver knows, so that no output
//! can hold one by accident or on purpose.

use crate::{Command, Error};
use memchr::memmem::Finder;

/// Longer programs are taken by `head`, shorter ones by `read`, which makes a system call for every byte but no process.
/// Measured: `read` takes 0.5 to 1.2 µs a byte on a laptop, starting `head` about 1 ms.
const LONGEST_LINE_BYTES: usize = 2048;

/// A name for one frame.
pub(crate) fn nonce() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// A command in the form in which it is sent.
pub(crate) struct Request {
    /// What its markers begin with.
    pub nonce: String,
    /// Header, input and program, to be written one after the other. The program comes last: when the connection breaks
    /// before it is there, nothing is run.
    pub parts: [Vec<u8>; 3],
}

impl Request {
    pub fn new(command: Command) -> Result<Self, Error> {
        let nonce = nonce();
        let mut program = crate::quote::program(&command)?;
        let length = if program.len() > LONGEST_LINE_BYTES { program.len() } else { 0 };
        if length == 0 {
            program.push('\n');
        }
        let header = format!("run {nonce} {length} {}\n", command.input.len());
        Ok(Self { nonce, parts: [header.into_bytes(), command.input, program.into_bytes()] })
    }
}

/// Reads one output: keeps the data, takes the markers out.
pub(crate) struct Scanner {
    finder: Finder<'static>,
    length: usize,
    scanned: usize,
    /// What came, without markers.
    pub data: Vec<u8>,
    /// The bootstrap is there.
    pub ready: bool,
    /// The exit status. Its marker may come in the middle of the data.
    pub status: Option<i32>,
    /// Nothing more comes.
    pub ended: bool,
}

/// Longer than any kind of marker after the nonce: `x255;`.
const LONGEST_KIND_BYTES: usize = 8;

impl Scanner {
    pub fn new(nonce: &str) -> Self {
        let finder = Finder::new(nonce.as_bytes()).into_owned();
        Self { finder, length: nonce.len(), scanned: 0, data: Vec::new(), ready: false, status: None, ended: false }
    }

    /// Looks at what was added to `data` since the last time.
    pub fn scan(&mut self) {
        while let Some(found) = self.finder.find(&self.data[self.scanned..]) {
            let start = self.scanned + found;
            let kind = &self.data[start + self.length..];
            let Some(end) = kind.iter().take(LONGEST_KIND_BYTES).position(|byte| *byte == b';') else {
                self.scanned = start;
                return;
            };
            match kind.split_first() {
                Some((b'r', _)) => self.ready = true,
                Some((b'e', _)) => self.ended = true,
                Some((b'x', rest)) => {
                    self.status = std::str::from_utf8(&rest[..end - 1]).ok().and_then(|s| s.parse().ok())
                }
                _ => {}
            }
            self.data.drain(start..start + self.length + end + 1);
            self.scanned = start;
        }
        // A nonce may be cut by the end of what came so far.
        self.scanned = self.data.len().saturating_sub(self.length - 1).max(self.scanned);
    }

    /// What came, as text for messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn data_comes_out_as_it_went_in_wherever_markers_and_cuts_are(
            before in proptest::collection::vec(any::<u8>(), 0..200),
            after in proptest::collection::vec(any::<u8>(), 0..200),
            status in 0i32..256,
            cut in 1usize..64,
        ) {
            let nonce = nonce();
            let mut stream = before.clone();
            stream.extend(format!("{nonce}x{status};").bytes());
            stream.extend(&after);
            stream.extend(format!("{nonce}e;").bytes());
            let mut scanner = Scanner::new(&nonce);
            for chunk in stream.chunks(cut) {
                prop_assert!(!scanner.ended);
                scanner.data.extend_from_slice(chunk);
                scanner.scan();
            }
            prop_assert_eq!(scanner.status, Some(status));
            prop_assert!(scanner.ended);
            prop_assert_eq!(scanner.data, [before, after].concat());
        }
    }

    #[test]
    fn the_program_goes_last_and_short_ones_as_a_line() {
        let request = Request::new(Command { script: "true".into(), input: vec![0, 1], ..Command::default() }).unwrap();
        let header = String::from_utf8(request.parts[0].clone()).unwrap();
        assert_eq!(header, format!("run {} 0 2\n", request.nonce));
        assert_eq!(request.parts[1], [0, 1]);
        assert_eq!(request.parts[2].last(), Some(&b'\n'));
    }

    #[test]
    fn a_long_program_goes_by_its_length() {
        let request = Request::new(Command { script: "#".repeat(5000), ..Command::default() }).unwrap();
        let header = String::from_utf8(request.parts[0].clone()).unwrap();
        assert_eq!(header, format!("run {} {} 0\n", request.nonce, request.parts[2].len()));
    }
}
