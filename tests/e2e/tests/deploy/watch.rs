//! Looks, while something runs, at what every user of the machine can see: processes' arguments and surroundings, and files.

use anyhow::Result;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::SystemTime;

/// A watch that goes on until it is stopped.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(BTreeSet<String>, usize)>,
}

impl Watch {
    /// Looks for the texts, over and over: in arguments and environments of all processes, and in files below the folders that are new.
    pub fn start(sought: &[&str], folders: &[&Path]) -> Result<Self> {
        let sought: Vec<Vec<u8>> = sought.iter().map(|text| text.as_bytes().to_vec()).collect();
        let folders: Vec<PathBuf> = folders.iter().map(|folder| folder.to_path_buf()).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let (began, stopped) = (SystemTime::now(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let (mut found, mut rounds) = (BTreeSet::new(), 0);
            while !stopped.load(Ordering::Relaxed) {
                processes(&sought, &mut found);
                folders.iter().for_each(|folder| files(folder, &sought, began, 3, &mut found));
                rounds += 1;
            }
            (found, rounds)
        });
        Ok(Self { stop, thread })
    }

    /// Where the texts were seen.
    pub fn stop(self) -> Result<Vec<String>> {
        self.stop.store(true, Ordering::Relaxed);
        let (found, rounds) = self.thread.join().map_err(|_| anyhow::anyhow!("the watch panicked"))?;
        anyhow::ensure!(rounds > 10, "looked only {rounds} times");
        Ok(found.into_iter().collect())
    }
}

fn holds(bytes: &[u8], sought: &[Vec<u8>]) -> bool {
    sought.iter().any(|text| bytes.windows(text.len()).any(|window| window == text.as_slice()))
}

fn processes(sought: &[Vec<u8>], found: &mut BTreeSet<String>) {
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        for name in ["cmdline", "environ"] {
            let seen = fs::read(entry.path().join(name)).unwrap_or_default();
            if holds(&seen, sought) {
                let words = String::from_utf8_lossy(&seen).replace('\0', " ");
                found.insert(format!("{name} of a process: {words}"));
            }
        }
    }
}

/// Only what was written since `began`, and not the stores of clusters (this one's and those of tests beside it).
fn files(folder: &Path, sought: &[Vec<u8>], began: SystemTime, depth: usize, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, Ok(about)) = (entry.path(), entry.metadata()) else { continue };
        if about.is_dir() && depth > 0 && entry.file_name() != "etcd" {
            files(&path, sought, began, depth - 1, found);
        } else if about.is_file() && about.modified().is_ok_and(|time| time >= began) && about.len() < 1 << 20 {
            let seen = fs::read(&path).unwrap_or_default();
            if holds(&seen, sought) {
                found.insert(format!("file {}", path.display()));
            }
        }
    }
}
