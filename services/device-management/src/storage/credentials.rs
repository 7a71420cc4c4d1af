//! Keys of devices: their hashes.

use super::devices::{self, NewKey, Refused};
use super::outbox;
use crate::model::State;
use sqlx::{Error, PgConnection};
use uuid::Uuid;

pub(super) async fn insert(
    connection: &mut PgConnection,
    device: &str,
    id: Uuid,
    hash: &[u8; 32],
) -> Result<(), Error> {
    sqlx::query("INSERT INTO credentials (id, device_id, hash) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(device)
        .bind(&hash[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether there was a key.
pub(super) async fn revoke(connection: &mut PgConnection, device: &str) -> Result<bool, Error> {
    let revoked = sqlx::query("UPDATE credentials SET revoked_at = now() WHERE device_id = $1 AND revoked_at IS NULL");
    Ok(revoked.bind(device).execute(connection).await?.rows_affected() > 0)
}

/// Puts a new key in the place of the old one.
pub(crate) async fn rotate(
    connection: &mut PgConnection,
    device: &str,
    version: Option<i64>,
    key: NewKey,
) -> Result<Result<(), Refused>, Error> {
    match devices::lock(connection, device, version).await? {
        Ok(State::Decommissioned) => return Ok(Err(Refused::Gone)),
        Ok(_) => {}
        Err(refused) => return Ok(Err(refused)),
    }
    revoke(connection, device).await?;
    insert(connection, device, key.id, &key.hash).await?;
    // The device comes first: what waits for the broker is taken in that order everywhere.
    outbox::note(connection, device, Some((key.id, key.sealed)), true).await?;
    Ok(Ok(()))
}

/// Takes the key away; the device is cut off.
pub(crate) async fn withdraw(
    connection: &mut PgConnection,
    device: &str,
    version: Option<i64>,
) -> Result<Result<(), Refused>, Error> {
    match devices::lock(connection, device, version).await? {
        Ok(State::Decommissioned) => return Ok(Err(Refused::Gone)),
        Ok(_) => {}
        Err(refused) => return Ok(Err(refused)),
    }
    if !revoke(connection, device).await? {
        return Ok(Err(Refused::NoKey));
    }
    sqlx::query("UPDATE devices SET broker_lost = false WHERE id = $1").bind(device).execute(&mut *connection).await?;
    outbox::note(connection, device, None, true).await?;
    Ok(Ok(()))
}
