//! Where files are kept in memory, so that what they hold never reaches a disk.

use crate::context::environment;
use camino::{Utf8Path, Utf8PathBuf};

/// A folder on tmpfs that this user can write to, if the system has one.
pub(crate) fn folder() -> Option<Utf8PathBuf> {
    let places = environment("XDG_RUNTIME_DIR").into_iter().chain(["/dev/shm".to_owned()]);
    places.map(Utf8PathBuf::from).find(|place| is_tmpfs(place))
}

fn is_tmpfs(path: &Utf8Path) -> bool {
    /// `TMPFS_MAGIC` of Linux (`include/uapi/linux/magic.h`).
    const TMPFS: u64 = 0x0102_1994;
    let is_writable = rustix::fs::access(path.as_str(), rustix::fs::Access::WRITE_OK).is_ok();
    let kind = rustix::fs::statfs(path.as_str()).ok().and_then(|found| u64::try_from(found.f_type).ok());
    is_writable && kind == Some(TMPFS)
}
