//! Devices.

use super::{credentials, outbox, rows, types};
use crate::broker::Wanted;
use crate::model::{AccountState, Credential, Device, DevicePatch, Filter, Location, MOST_TAGS, NewDevice, State};
use jiff::Timestamp;
use service::DeviceId;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Error, PgConnection, PgPool, Row};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// Why a device could not be registered or changed.
#[derive(Debug)]
pub(crate) enum Refused {
    /// There is one of that id, in this state.
    Exists(String),
    /// There is no such type.
    NoType,
    /// There is no such group.
    NoGroup(String),
    /// There is no such device.
    NoDevice,
    /// It was decommissioned.
    Gone,
    /// It is another version than the one that was to be changed.
    Changed,
    /// It has no key to do that with.
    NoKey,
    /// It would have too many tags.
    Tags,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT d.id, d.type, d.name, d.description, d.state, d.location, d.room, d.zone, d.latitude, d.longitude, d.tags,
               coalesce(s.firmware, d.firmware) AS firmware, d.version, d.broker_lost,
               (extract(epoch FROM d.created_at) * 1000000)::bigint AS created,
               (extract(epoch FROM d.updated_at) * 1000000)::bigint AS updated,
               (extract(epoch FROM s.last_seen) * 1000000)::bigint AS seen,
               c.id AS credential, (extract(epoch FROM c.created_at) * 1000000)::bigint AS credential_created,
               o.device_id IS NOT NULL AND o.due_at < 'infinity' AS waiting,
               ARRAY(SELECT m.group_name::text FROM group_members m WHERE m.device_id = d.id ORDER BY 1) AS member_of
             FROM devices d
             LEFT JOIN device_seen s ON s.device_id = d.id
             LEFT JOIN credentials c ON c.device_id = d.id AND c.revoked_at IS NULL
             LEFT JOIN broker_outbox o ON o.device_id = d.id ",
            $rest
        )
    };
}

/// One device.
pub(crate) async fn find(connection: &mut PgConnection, id: &str, online: Duration) -> Result<Option<Device>, Error> {
    let row = sqlx::query(select!("WHERE d.id = $1")).bind(id).fetch_optional(connection).await?;
    row.map(|row| device(&row, online)).transpose()
}

/// A page of devices, one more than asked for when there are more.
pub(crate) async fn list(pool: &PgPool, filter: &Filter, online: Duration) -> Result<Vec<Device>, Error> {
    let rows = sqlx::query(select!(
        "WHERE d.state = ANY ($1)
           AND ($2::text IS NULL OR d.type = $2)
           AND ($3::text IS NULL OR EXISTS (SELECT 1 FROM group_members m WHERE m.device_id = d.id AND m.group_name = $3))
           AND ($4::jsonb IS NULL OR d.tags @> $4)
           AND ($5::text IS NULL OR d.location = $5)
           AND ($6::text IS NULL OR d.room = $6)
           AND ($7::text IS NULL OR d.zone = $7)
           AND ($8::text IS NULL OR coalesce(s.firmware, d.firmware) = $8)
           AND ($9::boolean IS NULL OR coalesce(s.last_seen > now() - $10 * interval '1 second', false) = $9)
           AND ($11::text IS NULL OR d.id ILIKE $11 OR d.name ILIKE $11 OR d.description ILIKE $11)
           AND ($12::text IS NULL OR $12 = CASE WHEN d.broker_lost THEN 'lost'
                 WHEN o.device_id IS NOT NULL AND o.due_at < 'infinity' THEN 'waiting'
                 WHEN c.id IS NULL THEN 'none' ELSE 'in_step' END)
           AND ($13::text IS NULL OR d.id > $13)
         ORDER BY d.id LIMIT $14"
    ))
    .bind(&filter.states)
    .bind(&filter.kind)
    .bind(&filter.group)
    .bind(filter.tags.as_ref().map(Json))
    .bind(&filter.location)
    .bind(&filter.room)
    .bind(&filter.zone)
    .bind(&filter.firmware)
    .bind(filter.online)
    .bind(online.as_secs_f64())
    .bind(&filter.containing)
    .bind(&filter.account)
    .bind(filter.cursor.as_ref().map(|cursor| cursor.after.as_str()))
    .bind(filter.limit + 1)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| device(row, online)).collect()
}

fn device(row: &PgRow, online: Duration) -> Result<Device, Error> {
    let (lost, waiting): (bool, bool) = (row.try_get("broker_lost")?, row.try_get("waiting")?);
    let credential = match row.try_get::<Option<Uuid>, _>("credential")? {
        Some(id) => Some(Credential { id, created_at: rows::time(row, "credential_created")? }),
        None => None,
    };
    let account = match (&credential, lost, waiting) {
        (_, true, _) => AccountState::Lost,
        (_, _, true) => AccountState::Waiting,
        (None, ..) => AccountState::None,
        _ => AccountState::InStep,
    };
    let last_seen = rows::optional_time(row, "seen")?;
    let lately = |seen: Timestamp| Timestamp::now().duration_since(seen).as_secs_f64() < online.as_secs_f64();
    Ok(Device {
        id: rows::device_id(row, "id")?,
        kind: row.try_get("type")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        state: state(row)?,
        location: Location {
            name: row.try_get("location")?,
            room: row.try_get("room")?,
            zone: row.try_get("zone")?,
            latitude: row.try_get("latitude")?,
            longitude: row.try_get("longitude")?,
        },
        tags: row.try_get::<Json<BTreeMap<String, String>>, _>("tags")?.0,
        groups: row.try_get("member_of")?,
        firmware: row.try_get("firmware")?,
        last_seen,
        online: last_seen.is_some_and(lately),
        credential,
        account,
        version: row.try_get("version")?,
        created_at: rows::time(row, "created")?,
        updated_at: rows::time(row, "updated")?,
    })
}

/// A key for a new device: its id, hash and sealed form.
#[derive(Debug)]
pub(crate) struct NewKey {
    pub(crate) id: Uuid,
    pub(crate) hash: [u8; 32],
    pub(crate) sealed: Vec<u8>,
}

/// Registers a device with its key. What the broker is to be told is in the outbox when the transaction commits.
pub(crate) async fn register(
    connection: &mut PgConnection,
    id: &DeviceId,
    new: &NewDevice,
    key: NewKey,
) -> Result<Result<(), Refused>, Error> {
    let inserted = sqlx::query(
        "INSERT INTO devices (id, type, name, description, location, room, zone, latitude, longitude, tags, firmware)
         SELECT $1, t.name, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM device_types t WHERE t.name = $2
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(id.as_str())
    .bind(&new.kind)
    .bind(&new.name)
    .bind(&new.description)
    .bind(&new.location.name)
    .bind(&new.location.room)
    .bind(&new.location.zone)
    .bind(new.location.latitude)
    .bind(new.location.longitude)
    .bind(Json(&new.tags))
    .bind(&new.firmware)
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        let existing = sqlx::query("SELECT state FROM devices WHERE id = $1").bind(id.as_str());
        return Ok(Err(match existing.fetch_optional(connection).await? {
            Some(row) => Refused::Exists(row.try_get("state")?),
            None => Refused::NoType,
        }));
    }
    if let Some(missing) = join_groups(connection, id, &new.groups).await? {
        return Ok(Err(Refused::NoGroup(missing)));
    }
    credentials::insert(connection, id.as_str(), key.id, &key.hash).await?;
    outbox::note(connection, id.as_str(), Some((key.id, key.sealed)), false).await?;
    Ok(Ok(()))
}

/// Puts the device into groups; the name of one that does not exist.
async fn join_groups(connection: &mut PgConnection, id: &DeviceId, groups: &[String]) -> Result<Option<String>, Error> {
    if groups.is_empty() {
        return Ok(None);
    }
    let missing = sqlx::query(
        "SELECT wanted.name FROM unnest($1::text[]) AS wanted (name)
         WHERE NOT EXISTS (SELECT 1 FROM groups g WHERE g.name = wanted.name) LIMIT 1",
    );
    if let Some(row) = missing.bind(groups).fetch_optional(&mut *connection).await? {
        return row.try_get("name").map(Some);
    }
    sqlx::query("INSERT INTO group_members (group_name, device_id) SELECT DISTINCT name, $2 FROM unnest($1::text[]) AS w (name)")
        .bind(groups)
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(None)
}

/// Keeps a device as it is until the transaction ends. Its state, if it is of that version.
pub(super) async fn lock(
    connection: &mut PgConnection,
    id: &str,
    version: Option<i64>,
) -> Result<Result<State, Refused>, Error> {
    let row = sqlx::query("SELECT state, version FROM devices WHERE id = $1 FOR UPDATE").bind(id);
    let Some(row) = row.fetch_optional(connection).await? else { return Ok(Err(Refused::NoDevice)) };
    if version.is_some_and(|version| row.try_get("version").is_ok_and(|is: i64| is != version)) {
        return Ok(Err(Refused::Changed));
    }
    Ok(Ok(state(&row)?))
}

fn state(row: &PgRow) -> Result<State, Error> {
    Ok(State::parse(row.try_get("state")?).unwrap_or(State::Suspended))
}

/// Changes a device. `version`: only if it is that one.
pub(crate) async fn patch(
    connection: &mut PgConnection,
    id: &str,
    patch: &DevicePatch,
    version: Option<i64>,
    online: Duration,
) -> Result<Result<(), Refused>, Error> {
    match lock(connection, id, version).await? {
        Ok(State::Decommissioned) => return Ok(Err(Refused::Gone)),
        Ok(_) => {}
        Err(refused) => return Ok(Err(refused)),
    }
    let Some(before) = find(connection, id, online).await? else { return Ok(Err(Refused::NoDevice)) };
    let tags = patch.tags_applied(before.tags);
    if tags.len() > MOST_TAGS {
        return Ok(Err(Refused::Tags));
    }
    if let Some(kind) = &patch.kind {
        let known = sqlx::query("SELECT 1 FROM device_types WHERE name = $1").bind(kind);
        if known.fetch_optional(&mut *connection).await?.is_none() {
            return Ok(Err(Refused::NoType));
        }
        types::remember(connection, &before.kind).await?;
    }
    let state = patch.state.unwrap_or(before.state);
    let place =
        patch.location.as_ref().map_or(before.location.clone(), |location| location.applied(before.location.clone()));
    sqlx::query(
        "UPDATE devices SET type = $2, name = $3, description = $4, state = $5, location = $6, room = $7, zone = $8,
           latitude = $9, longitude = $10, tags = $11, firmware = $12, version = version + 1, updated_at = now() WHERE id = $1",
    )
    .bind(id)
    .bind(patch.kind.as_ref().unwrap_or(&before.kind))
    .bind(patch.name.as_ref().unwrap_or(&before.name))
    .bind(patch.description.as_ref().unwrap_or(&before.description))
    .bind(state.as_str())
    .bind(place.name)
    .bind(place.room)
    .bind(place.zone)
    .bind(place.latitude)
    .bind(place.longitude)
    .bind(Json(tags))
    .bind(patch.firmware.as_ref().unwrap_or(&before.firmware))
    .execute(&mut *connection)
    .await?;
    if patch.firmware.is_some() {
        sqlx::query("UPDATE device_seen SET firmware = NULL WHERE device_id = $1")
            .bind(id)
            .execute(&mut *connection)
            .await?;
    }
    if (state == State::Suspended) != (before.state == State::Suspended) {
        outbox::note(connection, id, None, state == State::Suspended).await?;
    }
    Ok(Ok(()))
}

/// Decommissions a device: its key goes, its account goes, its id stays taken. Doing it twice changes nothing.
pub(crate) async fn decommission(
    connection: &mut PgConnection,
    id: &str,
    version: Option<i64>,
) -> Result<Result<(), Refused>, Error> {
    match lock(connection, id, version).await? {
        Ok(State::Decommissioned) => return Ok(Ok(())),
        Ok(_) => {}
        Err(refused) => return Ok(Err(refused)),
    }
    sqlx::query(
        "UPDATE devices SET state = 'decommissioned', broker_lost = false, version = version + 1, updated_at = now() WHERE id = $1",
    )
    .bind(id)
    .execute(&mut *connection)
    .await?;
    credentials::revoke(connection, id).await?;
    outbox::note(connection, id, None, true).await?;
    Ok(Ok(()))
}

/// What a device's account should be, and whether a change of it is on its way.
#[derive(Debug)]
pub(crate) struct Desired {
    pub(crate) id: DeviceId,
    pub(crate) wanted: Wanted,
    pub(crate) waiting: bool,
}

/// Of all devices. One whose account was changed since this time counts as waiting.
pub(crate) async fn desired(pool: &PgPool, since: &str) -> Result<Vec<Desired>, Error> {
    let rows = sqlx::query(
        "SELECT d.id, d.state, c.id AS credential, o.device_id IS NOT NULL OR t.device_id IS NOT NULL AS waiting FROM devices d
         LEFT JOIN credentials c ON c.device_id = d.id AND c.revoked_at IS NULL
         LEFT JOIN broker_outbox o ON o.device_id = d.id
         LEFT JOIN broker_told t ON t.device_id = d.id AND t.at >= $1::timestamptz",
    )
    .bind(since)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let (state, credential): (String, Option<Uuid>) = (row.try_get("state")?, row.try_get("credential")?);
            Ok(Desired {
                id: rows::device_id(row, "id")?,
                wanted: Wanted::of(&state, credential),
                waiting: row.try_get("waiting")?,
            })
        })
        .collect()
}
