//! Who asks: a device with its key, or the operator with the admin token.

use super::Http;
use crate::devices::Device;
use data_encoding::BASE64;
use diagnostic::Secret;
use http::{HeaderMap, header};
use service::{DeviceId, Problem};
use std::sync::Arc;

/// The device of a request: `Authorization: Basic` with its id and key, as over MQTT, or `Bearer` with the key and the id
/// in `X-Device-Id`.
pub async fn device(http: &Http, headers: &HeaderMap) -> Result<(String, Arc<Device>), Problem> {
    let caller = Caller::of(headers).ok_or_else(wrong)?;
    let device = caller.device(http).await?;
    Ok((caller.id, device))
}

/// Whoever says that it is a device.
pub struct Caller {
    /// The id that it gives.
    pub id: String,
    key: Secret<String>,
}

impl Caller {
    /// Whom a request's headers name.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let (id, key) = credential(headers).filter(|(id, _)| DeviceId::is_valid(id))?;
        Some(Self { id, key: Secret::new(key) })
    }

    /// The device, if that is who calls and it may send now. Asked again by whoever stays: keys are revoked.
    pub async fn device(&self, http: &Http) -> Result<Arc<Device>, Problem> {
        let found = http.intake.device(&self.id).await.map_err(|error| Problem::unavailable(error.to_string()))?;
        match found {
            Ok(device) if device.has_key(self.key.reveal()) => Ok(device),
            // An unknown device, one that may not send, and a wrong key look alike.
            _ => Err(wrong()),
        }
    }
}

/// The answer to whoever is none.
pub fn wrong() -> Problem {
    Problem::unauthorized("a device's id and key are needed: Basic, or Bearer with X-Device-Id")
}

fn credential(headers: &HeaderMap) -> Option<(String, String)> {
    let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = authorization.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("basic") {
        let text = String::from_utf8(BASE64.decode(rest.trim().as_bytes()).ok()?).ok()?;
        let (id, key) = text.split_once(':')?;
        return Some((id.to_owned(), key.to_owned()));
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        let id = headers.get("x-device-id")?.to_str().ok()?;
        return Some((id.to_owned(), rest.trim().to_owned()));
    }
    None
}

/// Whether the operator asks.
pub fn admin(http: &Http, headers: &HeaderMap) -> Result<(), Problem> {
    match &http.admins {
        Some(admins) => admins.admit(headers),
        None => Err(Problem::unauthorized("no administrator is configured: set ADMIN_TOKEN")),
    }
}
