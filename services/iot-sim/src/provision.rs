//! Registers devices by device-management's bulk import, keeps the keys that it shows once, and waits until the broker knows
//! all of the accounts.

use crate::cli::Provision;
use crate::hint::Hint;
use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// How a provisioning went.
#[derive(Debug, Serialize)]
pub struct Provisioned {
    pub devices: u32,
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
    // Before anything is registered: keys are shown only once.
    let mut keys = Keys::open(&options.keys)?;
    let answer = import(&client, options).await?;
    keep(answer, &mut keys).await.hint(format!(
        "the devices are registered, and {} has {} of their keys; \
         `POST /api/v1/devices/<id>/credential/rotate` shows a new one",
        options.keys.display(),
        keys.count
    ))?;
    ensure!(keys.count == options.devices, "device-management shows {} keys, not {}", keys.count, options.devices);
    let imported = begun.elapsed();
    // An outbox that is empty for a moment may still be filling.
    while waiting(&client, options).await? {
        ensure!(begun.elapsed() < options.timeout, "the broker does not know all accounts after {:?}", options.timeout);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let accounts_seconds = (begun.elapsed() - imported).as_secs_f64();
    Ok(Provisioned { devices: keys.count, import_seconds: imported.as_secs_f64(), accounts_seconds })
}

/// Asks for all of the devices.
async fn import(client: &Client, options: &Provision) -> Result<Response> {
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
    Ok(answer)
}

/// Writes the answer's keys as they come.
async fn keep(mut answer: Response, keys: &mut Keys<'_>) -> Result<()> {
    keys.forget_earlier()?;
    let mut text = Vec::new();
    while let Some(piece) = answer.chunk().await.context("device-management's answer to an import")? {
        text.extend_from_slice(&piece);
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        keys.add(&text[..whole])?;
        text.drain(..whole);
    }
    keys.add(&text)
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

/// The file of keys. They open the broker: nobody else may read them.
struct Keys<'a> {
    path: &'a Path,
    file: File,
    count: u32,
}

impl<'a> Keys<'a> {
    /// What stands in it stays until [`Self::forget_earlier`]: keys of devices that are there already.
    fn open(path: &'a Path) -> Result<Self> {
        let file = private(path)
            .with_context(|| format!("the keys {}", path.display()))
            .hint("nothing is registered yet; `--keys` is a file in a folder that exists, where you may write")?;
        Ok(Self { path, file, count: 0 })
    }

    fn forget_earlier(&self) -> Result<()> {
        // Only a file has a length: a pipe has nothing to forget.
        if self.file.metadata()?.is_file() {
            self.file.set_len(0).with_context(|| format!("the keys {}", self.path.display()))?;
        }
        Ok(())
    }

    /// Adds those of whole lines of the import's answer.
    fn add(&mut self, lines: &[u8]) -> Result<()> {
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: Line = serde_json::from_slice(line).context("device-management's answer to an import")?;
            if let (Some(id), Some(key)) = (line.id, line.key) {
                let written = self.file.write_all(format!("{id} {key}\n").as_bytes());
                written.with_context(|| format!("the keys {}", self.path.display()))?;
                self.count += 1;
            }
        }
        Ok(())
    }
}

fn private(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if file.metadata()?.is_file() {
        // It may have been there, for all to read.
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use crate::stub;
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    use std::path::{Path, PathBuf};

    const TWO: &str = "{\"line\":2,\"id\":\"sim-0\",\"status\":\"created\",\"key\":\"k0\"}\n\
                       {\"line\":3,\"id\":\"sim-1\",\"status\":\"created\",\"key\":\"k1\"}\n";
    const SUMS: &str = "{\"created\":2,\"failed\":0}\n";
    const NONE_WAITING: &str = "{\"items\":[]}";

    fn file(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("iot-sim-keys-{name}-{}", std::process::id()))
    }

    /// Provisions two devices.
    async fn provision(management: &str, keys: &Path) -> anyhow::Result<(bool, String)> {
        let keys = keys.display().to_string();
        let fixed = ["provision", "--management", management, "--token", "t", "--devices", "2", "--keys", &keys];
        crate::run(&fixed).await
    }

    fn taken(keys: &Path) -> (String, u32) {
        let mode = std::fs::metadata(keys).unwrap().permissions().mode() & 0o777;
        let text = std::fs::read_to_string(keys).unwrap();
        std::fs::remove_file(keys).unwrap();
        (text, mode)
    }

    #[tokio::test]
    async fn keys_are_for_nobody_else_also_in_a_file_that_was_there() {
        let keys = file("there");
        let mut options = std::fs::OpenOptions::new();
        let mut there = options.write(true).create(true).truncate(true).mode(0o644).open(&keys).unwrap();
        std::io::Write::write_all(&mut there, &[b'x'; 1000]).unwrap();
        let (management, _) = stub::serve(&[&format!("{TWO}{SUMS}"), NONE_WAITING]).await;
        provision(&management, &keys).await.unwrap();
        assert_eq!(taken(&keys), ("sim-0 k0\nsim-1 k1\n".to_owned(), 0o600));
    }

    #[tokio::test]
    async fn nothing_is_registered_when_the_keys_can_not_be_kept() {
        let (management, asked) = stub::serve(&[&format!("{TWO}{SUMS}"), NONE_WAITING]).await;
        let keys = file("no-folder").join("keys");
        let error = provision(&management, &keys).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("the keys {}: No such file", keys.display())), "{error}");
        assert!(error.contains("\nhint: nothing is registered yet; "), "{error}");
        assert_eq!(*asked.lock().unwrap(), [""; 0]);
    }

    #[tokio::test]
    async fn keys_of_before_stay_when_nothing_is_registered() {
        let keys = file("before");
        std::fs::write(&keys, "sim-0 before\n").unwrap();
        provision("http://127.0.0.1:1", &keys).await.unwrap_err();
        assert_eq!(taken(&keys).0, "sim-0 before\n");
    }

    #[tokio::test]
    async fn what_was_shown_is_kept_when_the_answer_breaks_off() {
        let keys = file("broken");
        let (management, _) = stub::serve(&[&format!("{TWO}{{\"line\":4,\"id…")]).await;
        let error = provision(&management, &keys).await.unwrap_err().to_string();
        let hint = format!("\nhint: the devices are registered, and {} has 2 of their keys; ", keys.display());
        assert!(error.contains(&hint), "{error}");
        assert_eq!(taken(&keys).0, "sim-0 k0\nsim-1 k1\n");
    }

    #[tokio::test]
    async fn an_answer_that_is_none_is_told_with_what_is_kept() {
        let keys = file("nonsense");
        let (management, _) = stub::serve(&[&format!("{TWO}nonsense\n")]).await;
        let error = provision(&management, &keys).await.unwrap_err().to_string();
        assert!(error.starts_with("device-management's answer to an import: "), "{error}");
        assert_eq!(taken(&keys).0, "sim-0 k0\nsim-1 k1\n");
    }
}
