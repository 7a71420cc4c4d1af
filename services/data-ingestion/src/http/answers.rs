//! What a device is told about its readings.

use crate::intake::Judged;
use crate::stream::Receipt;
use serde::Serialize;
use utoipa::ToSchema;

/// A reading was taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct Taken {
    /// Always `accepted`.
    pub message: &'static str,
    /// Whose it is.
    pub device_id: String,
    /// Its time, nanoseconds since 1970.
    pub timestamp: i64,
    /// What is in InfluxDB by now; absent when readings have no numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
}

/// What became of each reading of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct Batch {
    /// Whose they are.
    pub device_id: String,
    /// How many were taken.
    pub accepted: usize,
    /// How many were refused.
    pub refused: usize,
    /// In the order in which they were sent.
    pub results: Vec<Outcome>,
    /// What is in InfluxDB by now; absent when readings have no numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
}

/// One reading of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct Outcome {
    /// `accepted` or `refused`.
    pub status: &'static str,
    /// Its line in line protocol, from 1, empty lines and comments counted; absent in JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub line: Option<usize>,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Why it was refused, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Why it was refused, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Where in the reading, as a JSON pointer; that of a line is into the same reading in JSON. Absent when it is all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

impl From<Judged> for Outcome {
    fn from(judged: Judged) -> Self {
        let seq = judged.number.map(|(_, seq)| seq);
        let line = judged.line;
        match judged.verdict {
            Ok(_) => Self { status: "accepted", line, seq, reason: None, detail: None, pointer: None },
            Err(refusal) => Self {
                status: "refused",
                line,
                seq,
                reason: Some(refusal.reason.word()),
                detail: Some(refusal.text),
                pointer: Some(refusal.pointer).filter(|pointer| !pointer.is_empty()),
            },
        }
    }
}
