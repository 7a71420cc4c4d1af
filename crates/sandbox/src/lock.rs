//! One `up` or `down` at a time.

use crate::Error;
use crate::directory::Directory;
use crate::event::{Event, Tell};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

/// Holds the lock of a sandbox until it is dropped. The kernel frees it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

const PAUSE: Duration = Duration::from_millis(50);

impl Lock {
    /// Waits for the lock.
    pub(crate) async fn acquire(directory: &Directory, patience: Duration, tell: Tell<'_>) -> Result<Self, Error> {
        let began = Instant::now();
        let mut told = false;
        loop {
            let mut file = open(directory)?;
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                if is_current(directory, &file) {
                    write_holder(&mut file);
                    return Ok(Self { _file: file });
                }
                continue;
            }
            let holder = read_holder(&mut file);
            if began.elapsed() >= patience {
                return Err(Error::Locked { directory: directory.path(), holder });
            }
            if !told {
                tell(Event::WaitingForLock { holder });
                told = true;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Deletes the lock file, then the folder above if it is empty. Who waits for the lock sees that the file it locked
    /// has no name any more, and starts again.
    pub(crate) fn remove(self, directory: &Directory) -> Result<(), Error> {
        std::fs::remove_file(directory.lock()).map_err(Error::file("delete", directory.lock()))?;
        // Fails when other files are in it, which is as it should be.
        let _ = std::fs::remove_dir(directory.parent());
        Ok(())
    }
}

fn open(directory: &Directory) -> Result<File, Error> {
    let path = directory.lock();
    loop {
        std::fs::create_dir_all(directory.parent()).map_err(Error::file("make the folder", directory.parent()))?;
        match File::options().read(true).write(true).create(true).truncate(false).open(&path) {
            // A `down` removed the folder between the two calls.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            result => return result.map_err(Error::file("open", path)),
        }
    }
}

/// Whether the locked file is still the one that others would open.
fn is_current(directory: &Directory, file: &File) -> bool {
    let (Ok(ours), Ok(named)) = (file.metadata(), std::fs::metadata(directory.lock())) else { return false };
    (ours.dev(), ours.ino()) == (named.dev(), named.ino())
}

fn write_holder(file: &mut File) {
    // Only for messages: a lock without a name is as good.
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
}

fn read_holder(file: &mut File) -> Option<i32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Directory) {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::of_project(folder.path().try_into().unwrap());
        (folder, directory)
    }

    #[tokio::test]
    async fn a_second_holder_waits_and_is_told_of_the_first() {
        let (_guard, directory) = scratch();
        let first = Lock::acquire(&directory, Duration::ZERO, &|_| {}).await.unwrap();
        let error = Lock::acquire(&directory, Duration::ZERO, &|_| {}).await.unwrap_err();
        assert!(matches!(error, Error::Locked { holder: Some(pid), .. } if pid == std::process::id().cast_signed()));
        drop(first);
        Lock::acquire(&directory, Duration::ZERO, &|_| {}).await.unwrap();
    }

    #[tokio::test]
    async fn removing_leaves_nothing_and_the_next_holder_gets_a_new_file() {
        let (_guard, directory) = scratch();
        let first = Lock::acquire(&directory, Duration::ZERO, &|_| {}).await.unwrap();
        let waiting = {
            let directory = directory.clone();
            tokio::spawn(async move { Lock::acquire(&directory, Duration::from_secs(10), &|_| {}).await })
        };
        tokio::task::yield_now().await;
        first.remove(&directory).unwrap();
        let second = waiting.await.unwrap().unwrap();
        assert!(is_current(&directory, &second._file));
        second.remove(&directory).unwrap();
        assert!(!directory.parent().exists());
    }
}
