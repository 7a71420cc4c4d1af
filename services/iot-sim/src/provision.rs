//! Registers devices by device-management's bulk import, keeps the keys that it shows once, and waits until the broker knows
//! all of the accounts.

use crate::cli::Provision;
use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How a provisioning went.
#[derive(Debug, Serialize)]
pub struct Provisioned {
    pub devices: usize,
    pub import_seconds: f64,
    /// Until the broker had every account.
    pub accounts_seconds: f64,
}

/// A line of the import's answer.
#[derive(Deserialize)]
struct Line {
    id: Option<String>,
    key: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<serde_json::Value>,
}

/// Registers them; either all are there with their keys, or none is.
pub async fn provision(options: &Provision) -> Result<Provisioned> {
    let begun = Instant::now();
    let client = Client::builder().timeout(options.timeout).build()?;
    let mut list = "id,type,name\n".to_owned();
    for number in 0..options.devices {
        writeln!(list, "{0}-{number},{1},simulated {0} {number}", options.name, options.kind)?;
    }
    let address = format!("{}/api/v1/devices/import?mode=all-or-nothing", options.management);
    let request = client.post(address).bearer_auth(&options.token).header("Content-Type", "text/csv").body(list);
    let answer = request.send().await.context("device-management")?;
    if answer.status() != StatusCode::OK {
        bail!("device-management registers none: {}", problem(answer).await);
    }
    let keys = keys(&answer.text().await?)?;
    ensure!(
        keys.len() == options.devices as usize,
        "device-management shows {} keys, not {}",
        keys.len(),
        options.devices
    );
    write(&options.keys, &keys)?;
    let imported = begun.elapsed();
    // An outbox that is empty for a moment may still be filling.
    while waiting(&client, options).await? {
        ensure!(begun.elapsed() < options.timeout, "the broker does not know all accounts after {:?}", options.timeout);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let accounts_seconds = (begun.elapsed() - imported).as_secs_f64();
    Ok(Provisioned { devices: keys.len(), import_seconds: imported.as_secs_f64(), accounts_seconds })
}

async fn waiting(client: &Client, options: &Provision) -> Result<bool> {
    let address = format!("{}/api/v1/devices?account=waiting&limit=1", options.management);
    let answer = client.get(address).bearer_auth(&options.token).send().await.context("device-management")?;
    if answer.status() != StatusCode::OK {
        bail!("device-management does not tell how accounts stand: {}", problem(answer).await);
    }
    let page: Page = serde_json::from_str(&answer.text().await?).context("device-management's list")?;
    Ok(!page.items.is_empty())
}

/// What its problem (RFC 9457) says: the first mistakes, if it lists any.
async fn problem(answer: Response) -> String {
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    let Ok(problem) = serde_json::from_str::<serde_json::Value>(&text) else { return status.to_string() };
    let word = |value: &serde_json::Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut words = vec![status.to_string(), word(&problem, "detail")];
    let mistakes = problem["errors"].as_array().into_iter().flatten().take(3);
    words.extend(mistakes.map(|mistake| format!("{}: {}", word(mistake, "pointer"), word(mistake, "detail"))));
    words.retain(|word| !word.is_empty());
    words.join("; ")
}

fn keys(text: &str) -> Result<Vec<(String, String)>> {
    let mut keys = Vec::new();
    for line in text.lines() {
        let line: Line = serde_json::from_str(line).context("device-management's answer to an import")?;
        if let (Some(id), Some(key)) = (line.id, line.key) {
            keys.push((id, key));
        }
    }
    Ok(keys)
}

/// Keys open the broker: nobody else may read them.
fn write(path: &Path, keys: &[(String, String)]) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = file.with_context(|| format!("the keys {}", path.display()))?;
    let text: String = keys.iter().map(|(id, key)| format!("{id} {key}\n")).collect();
    file.write_all(text.as_bytes()).with_context(|| format!("the keys {}", path.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_at_the_end_of_an_import_are_no_device() {
        let text = "{\"line\":2,\"id\":\"sim-0\",\"status\":\"created\",\"key\":\"k\"}\n{\"created\":1,\"failed\":0}\n";
        assert_eq!(keys(text).unwrap(), [("sim-0".to_owned(), "k".to_owned())]);
        assert!(keys("nonsense").is_err());
    }
}
