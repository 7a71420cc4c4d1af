//! A secret on its way to the one who is to know it.

use serde::{Serialize, Serializer};
use service::Secret;

/// Written out as JSON, for its device's owner or for the broker, and nowhere else: `Debug` shows `********`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told(Secret<String>);

impl From<Secret<String>> for Told {
    fn from(secret: Secret<String>) -> Self {
        Self(secret)
    }
}

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.reveal())
    }
}
