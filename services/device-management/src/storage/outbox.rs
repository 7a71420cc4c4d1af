//! What the broker still has to be told.

use super::rows;
use crate::broker::Outcome;
use crate::broker::Wanted;
use service::DeviceId;
use sqlx::{Error, PgConnection, PgPool, Row};
use std::collections::HashSet;
use uuid::Uuid;

/// One device whose account is to be brought into step.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) device: DeviceId,
    pub(crate) generation: i64,
    pub(crate) wanted: Wanted,
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) sealed_for: Option<Uuid>,
}

/// Notes that the device's account changed; what it should be is read when it is its turn. A key of an older credential that
/// still waits is dropped with the credential. `urgent` goes first: somebody is to be cut off.
pub(crate) async fn note(
    connection: &mut PgConnection,
    device: &str,
    key: Option<(Uuid, Vec<u8>)>,
    urgent: bool,
) -> Result<(), Error> {
    let (credential, sealed) = key.unzip();
    sqlx::query(
        "INSERT INTO broker_outbox AS o (device_id, credential_id, sealed, urgent) VALUES ($1, $2, $3, $4)
         ON CONFLICT (device_id) DO UPDATE SET generation = nextval('broker_generation'), urgent = o.urgent OR excluded.urgent,
           credential_id = coalesce(excluded.credential_id, o.credential_id), sealed = coalesce(excluded.sealed, o.sealed),
           attempts = 0, last_error = NULL, due_at = now()",
    )
    .bind(device)
    .bind(credential)
    .bind(sealed)
    .bind(urgent)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes what is due, the urgent first (or alone), and holds it until the transaction ends; other replicas pass over it.
///
/// Devices and credentials are read once the rows are held: read in the same statement, they could be older than the row that the
/// statement had to wait for, since PostgreSQL reads only locked rows again
/// (<https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED>).
pub(crate) async fn due(connection: &mut PgConnection, most: i64, urgent: bool) -> Result<Vec<Due>, Error> {
    let held = sqlx::query(
        "SELECT device_id FROM broker_outbox WHERE due_at <= now() AND (urgent OR NOT $2)
         ORDER BY urgent DESC, generation LIMIT $1 FOR UPDATE SKIP LOCKED",
    )
    .bind(most)
    .bind(urgent)
    .fetch_all(&mut *connection)
    .await?;
    let held = held.iter().map(|row| row.try_get("device_id")).collect::<Result<Vec<String>, Error>>()?;
    let rows = sqlx::query(
        "SELECT o.device_id, o.generation, o.sealed, o.credential_id, d.state, c.id AS active
         FROM broker_outbox o
         JOIN devices d ON d.id = o.device_id
         LEFT JOIN credentials c ON c.device_id = o.device_id AND c.revoked_at IS NULL
         WHERE o.device_id = ANY ($1) ORDER BY o.urgent DESC, o.generation",
    )
    .bind(&held)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let (state, active): (String, Option<Uuid>) = (row.try_get("state")?, row.try_get("active")?);
            let sealed_for: Option<Uuid> = row.try_get("credential_id")?;
            // A key that was rotated out or revoked while it waited is of no use.
            let sealed: Option<Vec<u8>> = row.try_get("sealed")?;
            let sealed = sealed.filter(|_| sealed_for == active);
            let device = rows::device_id(row, "device_id")?;
            Ok(Due {
                device,
                generation: row.try_get("generation")?,
                wanted: Wanted::of(&state, active),
                sealed,
                sealed_for,
            })
        })
        .collect()
}

/// Writes down how it ended. A device that changed again meanwhile stays due. Nothing here waits for a device's row: callers of
/// the API hold that one while they wait for the outbox's.
pub(crate) async fn settle(connection: &mut PgConnection, due: &[Due], outcomes: &[Outcome]) -> Result<(), Error> {
    let of = |wanted: fn(&Outcome) -> bool| {
        let chosen = due.iter().zip(outcomes).filter(move |(_, outcome)| wanted(outcome));
        chosen.map(|(due, _)| (due.device.to_string(), due.generation)).unzip::<_, _, Vec<String>, Vec<i64>>()
    };
    // A closed account keeps the key that waits: the device may be opened again before the broker has ever had it.
    let closed: Vec<String> = due
        .iter()
        .filter(|due| due.wanted == Wanted::Closed && due.sealed.is_some())
        .map(|due| due.device.to_string())
        .collect();
    let (settled, generations) = of(|outcome| !matches!(outcome, Outcome::Refused(_)));
    sqlx::query(
        "DELETE FROM broker_outbox o USING unnest($1::text[], $2::bigint[]) AS s (id, generation)
         WHERE o.device_id = s.id COLLATE \"C\" AND o.generation = s.generation AND NOT o.device_id = ANY ($3)",
    )
    .bind(&settled)
    .bind(&generations)
    .bind(&closed)
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE broker_outbox SET urgent = false, due_at = 'infinity' WHERE device_id = ANY ($1)")
        .bind(&closed)
        .execute(&mut *connection)
        .await?;
    let told = "INSERT INTO broker_told (device_id, at) SELECT id, clock_timestamp() FROM unnest($1::text[]) AS s (id) ORDER BY id
         ON CONFLICT (device_id) DO UPDATE SET at = excluded.at";
    sqlx::query(told).bind(&settled).execute(&mut *connection).await?;
    refused(connection, due, outcomes).await
}

/// Tried again later, at growing distance up to five minutes.
async fn refused(connection: &mut PgConnection, due: &[Due], outcomes: &[Outcome]) -> Result<(), Error> {
    for (due, outcome) in due.iter().zip(outcomes) {
        let Outcome::Refused(words) = outcome else { continue };
        sqlx::query(
            "UPDATE broker_outbox SET attempts = attempts + 1, last_error = $2,
               due_at = now() + least(interval '5 minutes', interval '1 second' * power(2, least(attempts, 10)))
             WHERE device_id = $1",
        )
        .bind(due.device.as_str())
        .bind(words)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Which accounts can only be mended by a new key, and which are sound again.
pub(crate) async fn mark_lost(
    connection: &mut PgConnection,
    lost: &[String],
    sound: &HashSet<String>,
) -> Result<(), Error> {
    if !lost.is_empty() {
        sqlx::query("UPDATE devices SET broker_lost = true WHERE id = ANY ($1) AND NOT broker_lost")
            .bind(lost)
            .execute(&mut *connection)
            .await?;
    }
    let sound: Vec<&str> = sound.iter().map(String::as_str).collect();
    sqlx::query("UPDATE devices SET broker_lost = false WHERE broker_lost AND id = ANY ($1)")
        .bind(&sound)
        .execute(connection)
        .await?;
    Ok(())
}

/// Why the broker did not take the device's change yet, in its own words.
pub(crate) async fn last_error(connection: &mut PgConnection, device: &str) -> Result<Option<String>, Error> {
    let row = sqlx::query("SELECT last_error FROM broker_outbox WHERE device_id = $1").bind(device);
    row.fetch_optional(connection).await?.map_or(Ok(None), |row| row.try_get("last_error"))
}

/// How many changes wait, and how many accounts are lost.
pub(crate) async fn counts(pool: &PgPool) -> Result<(i64, i64), Error> {
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM broker_outbox WHERE due_at < 'infinity') AS waiting,
                (SELECT count(*) FROM devices WHERE broker_lost) AS lost",
    )
    .fetch_one(pool)
    .await?;
    Ok((row.try_get("waiting")?, row.try_get("lost")?))
}

/// Now, by the clock of the database, which all replicas share.
pub(crate) async fn now(connection: &mut PgConnection) -> Result<String, Error> {
    sqlx::query("SELECT clock_timestamp()::text AS now").fetch_one(connection).await?.try_get("now")
}

/// Which of these devices' accounts changed since, or are to be changed: what was seen of them before is out of date.
pub(crate) async fn changed_since(
    connection: &mut PgConnection,
    since: &str,
    devices: &[&str],
) -> Result<HashSet<String>, Error> {
    let rows = sqlx::query(
        "SELECT device_id::text AS id FROM broker_outbox WHERE device_id = ANY ($1)
         UNION SELECT device_id::text FROM broker_told WHERE device_id = ANY ($1) AND at >= $2::timestamptz",
    );
    let rows = rows.bind(devices).bind(since).fetch_all(connection).await?;
    rows.iter().map(|row| row.try_get("id")).collect()
}

/// Forgets what only comparisons before this one needed.
pub(crate) async fn forget_told(connection: &mut PgConnection, since: &str) -> Result<(), Error> {
    let forget = sqlx::query("DELETE FROM broker_told WHERE at < $1::timestamptz").bind(since);
    forget.execute(connection).await.map(drop)
}

/// Whether this replica compares now; the lock lasts until the transaction ends.
pub(crate) async fn lock_reconciliation(connection: &mut PgConnection) -> Result<bool, Error> {
    // Any number that nobody else uses in this database; these are the letters "dm-recon".
    let row =
        sqlx::query("SELECT pg_try_advisory_xact_lock(7236277650467909486) AS locked").fetch_one(connection).await?;
    row.try_get("locked")
}
