//! Reading an import piece by piece: whole lines come out as soon as they are there, and a bounded rest is kept.

use crate::model::{Columns, Line, LineError, parse_json_line};
use csv_core::ReadRecordResult;
use std::collections::VecDeque;

/// The longest line.
const LONGEST: usize = 64 * 1024;

/// The most fields a CSV line may have; more than there are columns, so that the line itself says what is wrong.
const FIELDS: usize = 256;

/// How the lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// RFC 4180, with a header.
    Csv,
    /// A JSON object each.
    JsonLines,
}

impl Format {
    /// By the media type.
    pub(crate) fn of(kind: &str) -> Option<Self> {
        match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "text/csv" => Some(Self::Csv),
            "application/x-ndjson" | "application/jsonl" | "application/jsonlines" | "application/json-seq" => {
                Some(Self::JsonLines)
            }
            _ => None,
        }
    }
}

/// Why an import ends before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The header of a CSV file.
    Header(LineError),
    /// A line is too long: most likely a quotation mark is missing.
    Long { line: i64, most: usize },
    /// The file ends between quotation marks: a mark is missing, or the end of the file is. What was read as one value may be many lines.
    Open { line: i64 },
    /// There are more lines than allowed.
    Many(u64),
    /// There is nothing.
    Empty,
}

/// Reads lines from pieces.
pub(crate) struct Reader {
    parser: Parser,
    ready: VecDeque<(i64, Result<Line, LineError>)>,
    most: u64,
    count: u64,
}

enum Parser {
    Csv(Box<Csv>),
    Json { rest: Vec<u8>, line: i64 },
}

struct Csv {
    reader: csv_core::Reader,
    columns: Option<Columns>,
    text: Vec<u8>,
    ends: Vec<usize>,
    text_used: usize,
    ends_used: usize,
}

impl Reader {
    pub(crate) fn new(format: Format, most: u64) -> Self {
        let parser = match format {
            Format::JsonLines => Parser::Json { rest: Vec::new(), line: 1 },
            Format::Csv => Parser::Csv(Box::new(Csv {
                reader: csv_core::Reader::new(),
                columns: None,
                text: vec![0; LONGEST],
                ends: vec![0; FIELDS],
                text_used: 0,
                ends_used: 0,
            })),
        };
        Self { parser, ready: VecDeque::new(), most, count: 0 }
    }

    /// How many lines are there to take.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Takes at most so many, with their numbers.
    pub(crate) fn take(&mut self, most: usize) -> Vec<(i64, Result<Line, LineError>)> {
        self.ready.drain(..most.min(self.ready.len())).collect()
    }

    /// Reads a piece.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), Trouble> {
        // To the CSV parser nothing means the end.
        if piece.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        match &mut self.parser {
            Parser::Csv(csv) => csv.push(piece, &mut lines)?,
            Parser::Json { rest, line } => json(rest, line, piece, &mut lines)?,
        }
        self.add(lines)
    }

    /// The end: what is left is the last line.
    pub(crate) fn finish(&mut self) -> Result<(), Trouble> {
        let mut lines = Vec::new();
        match &mut self.parser {
            Parser::Csv(csv) => csv.finish(&mut lines)?,
            Parser::Json { rest, line } if !rest.is_empty() => json(rest, line, b"\n", &mut lines)?,
            Parser::Json { .. } => {}
        }
        self.add(lines)?;
        if self.count == 0 { Err(Trouble::Empty) } else { Ok(()) }
    }

    fn add(&mut self, lines: Vec<(i64, Result<Line, LineError>)>) -> Result<(), Trouble> {
        self.count += lines.len() as u64;
        if self.count > self.most {
            return Err(Trouble::Many(self.most));
        }
        self.ready.extend(lines);
        Ok(())
    }
}

type Lines = Vec<(i64, Result<Line, LineError>)>;

fn json(rest: &mut Vec<u8>, line: &mut i64, piece: &[u8], lines: &mut Lines) -> Result<(), Trouble> {
    let mut parts = piece.split(|byte| *byte == b'\n').peekable();
    while let Some(part) = parts.next() {
        if rest.len() + part.len() > LONGEST {
            return Err(Trouble::Long { line: *line, most: LONGEST });
        }
        rest.extend_from_slice(part);
        if parts.peek().is_some() {
            let text = rest.trim_ascii();
            if !text.is_empty() {
                lines.push((*line, parse_json_line(text)));
            }
            rest.clear();
            *line += 1;
        }
    }
    Ok(())
}

impl Csv {
    fn push(&mut self, mut piece: &[u8], lines: &mut Lines) -> Result<(), Trouble> {
        loop {
            let (text, ends) = (&mut self.text[self.text_used..], &mut self.ends[self.ends_used..]);
            let (result, read, written, ended) = self.reader.read_record(piece, text, ends);
            let last = piece[..read].last().copied();
            piece = &piece[read..];
            self.text_used += written;
            self.ends_used += ended;
            match result {
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return Ok(()),
                ReadRecordResult::OutputFull => return Err(Trouble::Long { line: self.began(), most: LONGEST }),
                ReadRecordResult::OutputEndsFull => {
                    return Err(Trouble::Header(format!("line {} has more than {FIELDS} fields", self.began())));
                }
                // The parser has counted the line feed that ends the record, but not the one that will follow a carriage return.
                ReadRecordResult::Record => {
                    let ended = i64::from(last == Some(b'\n'));
                    self.record(self.began() - ended, lines)?;
                }
            }
        }
    }

    /// A line end that is one ends the last record; between quotation marks it is text.
    fn finish(&mut self, lines: &mut Lines) -> Result<(), Trouble> {
        self.push(b"\n", lines)?;
        if self.text_used > 0 { Err(Trouble::Open { line: self.began() }) } else { Ok(()) }
    }

    /// The line in which the record began that is being read: line breaks between quotation marks are in its text.
    fn began(&self) -> i64 {
        let within = self.text[..self.text_used].iter().filter(|byte| **byte == b'\n').count();
        i64::try_from(self.reader.line()).unwrap_or(i64::MAX) - i64::try_from(within).unwrap_or(0)
    }

    fn record(&mut self, number: i64, lines: &mut Lines) -> Result<(), Trouble> {
        let ends = &self.ends[..self.ends_used];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let fields = starts.zip(ends).map(|(start, end)| std::str::from_utf8(&self.text[start..*end]));
        let fields: Result<Vec<&str>, _> = fields.collect();
        let line = match (&self.columns, fields) {
            (None, Ok(fields)) => {
                self.columns = Some(Columns::parse(&fields).map_err(Trouble::Header)?);
                None
            }
            (None, Err(_)) => return Err(Trouble::Header("is not UTF-8".to_owned())),
            (Some(_), Err(_)) => Some(Err("is not UTF-8".to_owned())),
            (Some(columns), Ok(fields)) => Some(columns.line(&fields)),
        };
        lines.extend(line.map(|line| (number, line)));
        (self.text_used, self.ends_used) = (0, 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(format: Format, pieces: &[&[u8]], most: u64) -> Result<Lines, Trouble> {
        let mut reader = Reader::new(format, most);
        for piece in pieces {
            reader.push(piece)?;
        }
        reader.finish()?;
        Ok(reader.take(usize::MAX))
    }

    #[test]
    fn csv_with_quotes_and_without_a_last_line_end() {
        let text = b"id,type,name\r\ndev-1,t,\"a, \"\"b\"\"\nc\"\ndev-2,t";
        let lines = read(Format::Csv, &[text], 10).unwrap();
        assert_eq!(lines[0].1.as_ref().unwrap().device.name, "a, \"b\"\nc");
        assert_eq!(lines[1], (4, Err("has 2 fields, and the header has 3".to_owned())));
    }

    #[test]
    fn lines_are_counted_as_an_editor_does() {
        for end in ["\n", "\r\n"] {
            let text = ["id,type,name", "dev-1,t,a", "", "dev-2,t,\"b", "c\"", "dev-3,t,d", "dev-4,t,e"].join(end);
            for text in [text.clone(), format!("{text}{end}")] {
                let lines = read(Format::Csv, &[text.as_bytes()], 10).unwrap();
                let numbers: Vec<i64> = lines.iter().map(|(number, _)| *number).collect();
                assert_eq!(numbers, [2, 4, 6, 7], "{text:?}");
            }
        }
    }

    #[test]
    fn a_file_that_ends_between_quotation_marks_is_none() {
        for end in ["", "\n", "\r\n", "\"\""] {
            let text = format!("id,type,name\nu-1,t,\"oops\nu-2,t,b\nu-3,t,c{end}");
            assert_eq!(read(Format::Csv, &[text.as_bytes()], 10), Err(Trouble::Open { line: 2 }), "{text:?}");
        }
        assert_eq!(read(Format::Csv, &[b"id,type\n\""], 10), Err(Trouble::Open { line: 2 }));
        assert!(read(Format::Csv, &[b"id,type,name\nu-1,t,\"whole\""], 10).is_ok());
        assert!(read(Format::Csv, &[b"id,type,name\nu-1,t,\"\""], 10).is_ok());
    }

    #[test]
    fn bounds_hold() {
        let many = b"{}\n".repeat(11);
        assert_eq!(read(Format::JsonLines, &[&many], 10), Err(Trouble::Many(10)));
        assert_eq!(
            read(Format::JsonLines, &[&vec![b'x'; LONGEST + 1]], 10),
            Err(Trouble::Long { line: 1, most: LONGEST })
        );
        let open = [b"id,type\n\"".as_slice(), &vec![b'x'; LONGEST + 1]].concat();
        assert_eq!(read(Format::Csv, &[&open], 10), Err(Trouble::Long { line: 2, most: LONGEST }));
        assert_eq!(read(Format::Csv, &[b"id,type\n"], 10), Err(Trouble::Empty));
        assert_eq!(read(Format::JsonLines, &[b"\n\n"], 10), Err(Trouble::Empty));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(text in "(id,type(,name)?\n)?(\\PC|[,\"\n]){0,80}", cuts in proptest::collection::vec(0usize..90, 0..6)) {
            for format in [Format::Csv, Format::JsonLines] {
                let bytes = text.as_bytes();
                let mut places: Vec<usize> = cuts.iter().map(|cut| (*cut).min(bytes.len())).collect();
                places.sort_unstable();
                let mut pieces = Vec::new();
                let mut start = 0;
                for place in places {
                    pieces.push(&bytes[start..place]);
                    start = place;
                }
                pieces.push(&bytes[start..]);
                prop_assert_eq!(read(format, &pieces, 1000), read(format, &[bytes], 1000));
            }
        }

        #[test]
        fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(Format::Csv, &[b"id,type\n", &bytes], 100);
            let _ = read(Format::JsonLines, &[&bytes], 100);
        }
    }
}
