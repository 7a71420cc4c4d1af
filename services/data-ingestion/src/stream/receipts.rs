//! Receipts: per device and boot the highest number up to which everything is settled, that is stored or refused for good.

use super::redis::{Error, Stream};
use crate::reading::Stored;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a device may forget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// Since which of its starts.
    pub boot: String,
    /// Everything up to this number is in InfluxDB, but for what was refused, and for what the device itself did not keep
    /// (`kept_from`). A device keeps or repeats the rest.
    pub stored: u64,
    /// The last ones that were refused for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
}

/// A number whose reading will never be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refused {
    /// The number.
    pub seq: u64,
    /// Why, in a word.
    pub reason: String,
}

impl Receipt {
    /// From what Redis keeps.
    pub fn of(boot: &str, contiguous: &str, refusals: &str) -> Self {
        let refused = refusals.split(',').filter_map(|one| {
            let (seq, reason) = one.split_once('=')?;
            Some(Refused { seq: seq.parse().ok()?, reason: reason.to_owned() })
        });
        Self { boot: boot.to_owned(), stored: contiguous.parse().unwrap_or_default(), refused: refused.collect() }
    }
}

/// The numbers that a batch settles.
#[derive(Debug, Default)]
pub struct Settled {
    /// By device and boot.
    pub numbers: BTreeMap<(Box<str>, Box<str>), Numbers>,
}

/// Numbers of one device and boot.
#[derive(Debug, Default)]
pub struct Numbers {
    seqs: Vec<u64>,
    refused: Vec<(u64, String)>,
    kept_from: u64,
    fresh: bool,
}

impl Settled {
    /// A number that is stored, or never will be.
    pub fn add(&mut self, reading: &Stored<'_>, refused: Option<&str>) {
        let numbers = self.of(reading.device, reading.boot);
        numbers.seqs.push(reading.seq);
        if let Some(reason) = refused {
            numbers.refused.push((reading.seq, reason.to_owned()));
        }
        numbers.kept_from = numbers.kept_from.max(reading.kept_from);
        numbers.fresh |= !reading.replay;
    }

    fn of(&mut self, device: &str, boot: &str) -> &mut Numbers {
        self.numbers.entry((device.into(), boot.into())).or_default()
    }
}

impl Numbers {
    /// `a-b,c-d`, sorted, without overlaps.
    pub fn ranges(&mut self) -> String {
        use std::fmt::Write;
        self.seqs.sort_unstable();
        let mut text = String::new();
        let mut open: Option<(u64, u64)> = None;
        for &seq in &self.seqs {
            open = match open {
                Some((from, to)) if seq <= to + 1 => Some((from, seq)),
                Some((from, to)) => {
                    let _ = write!(text, "{from}-{to},");
                    Some((seq, seq))
                }
                None => Some((seq, seq)),
            };
        }
        if let Some((from, to)) = open {
            let _ = write!(text, "{from}-{to}");
        }
        text
    }

    /// Up to which number the device keeps none.
    pub fn given_up(&self) -> u64 {
        self.kept_from.saturating_sub(1)
    }

    /// Whether a row may begin with these: replays say nothing of where their device is by now.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// `seq=reason,…`
    pub fn refusals(&self) -> String {
        let list: Vec<String> = self.refused.iter().map(|(seq, reason)| format!("{seq}={reason}")).collect();
        list.join(",")
    }
}

impl Stream {
    /// The receipt of one boot.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn receipt(&self, device: &str, boot: &str) -> Result<Receipt, Error> {
        Ok(self.receipts_of(&[(device, boot)]).await?.remove(0))
    }

    /// Many receipts in one go, in the order asked for.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn receipts_of(&self, wanted: &[(&str, &str)]) -> Result<Vec<Receipt>, Error> {
        let mut pipe = redis::pipe();
        for (device, boot) in wanted {
            pipe.cmd("HMGET").arg(format!("receipt:{device}:{boot}")).arg("c").arg("r");
        }
        let mut redis = self.connection();
        let answers: Vec<(Option<String>, Option<String>)> = pipe.query_async(&mut redis).await?;
        let receipts = wanted.iter().zip(answers);
        Ok(receipts
            .map(|((_, boot), (contiguous, refusals))| {
                Receipt::of(boot, contiguous.as_deref().unwrap_or("0"), refusals.as_deref().unwrap_or_default())
            })
            .collect())
    }

    /// The receipts of all boots that are remembered, the newest first.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn receipts(&self, device: &str) -> Result<Vec<Receipt>, Error> {
        let mut redis = self.connection();
        let boots: Vec<String> =
            redis::cmd("LRANGE").arg(format!("boots:{device}")).arg(0).arg(-1).query_async(&mut redis).await?;
        if boots.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: Vec<(&str, &str)> = boots.iter().map(|boot| (device, boot.as_str())).collect();
        self.receipts_of(&wanted).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[], "")]
    #[case(&[3], "3-3")]
    #[case(&[3, 1, 2, 2], "1-3")]
    #[case(&[9, 1, 2, 5, 6], "1-2,5-6,9-9")]
    fn ranges(#[case] seqs: &[u64], #[case] text: &str) {
        let mut numbers = Numbers { seqs: seqs.to_vec(), ..Numbers::default() };
        assert_eq!(numbers.ranges(), text);
    }

    #[test]
    fn a_receipt_of_what_redis_keeps() {
        let receipt = Receipt::of("b", "9007199254740991", "3=too_old,7=out_of_range");
        assert_eq!(receipt.stored, 9_007_199_254_740_991);
        assert_eq!(receipt.refused[1], Refused { seq: 7, reason: "out_of_range".to_owned() });
    }
}
