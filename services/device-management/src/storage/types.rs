//! Device types.

use super::rows;
use crate::model::{Column, DeviceType, NewDeviceType, conflicts};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use service::Detail;
use service::schema::{FieldType, ReadingSchema};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Error, PgConnection, PgPool, Row};

macro_rules! columns {
    () => {
        "name, description, sensors, version, (extract(epoch FROM created_at) * 1000000)::bigint AS created,
         (extract(epoch FROM updated_at) * 1000000)::bigint AS updated"
    };
}

pub(crate) async fn list(pool: &PgPool) -> Result<Vec<DeviceType>, Error> {
    let rows = sqlx::query(concat!("SELECT ", columns!(), " FROM device_types ORDER BY name COLLATE \"C\""))
        .fetch_all(pool)
        .await?;
    rows.iter().map(device_type).collect()
}

pub(crate) async fn find(pool: &PgPool, name: &str) -> Result<Option<DeviceType>, Error> {
    let row = sqlx::query(concat!("SELECT ", columns!(), " FROM device_types WHERE name = $1"))
        .bind(name)
        .fetch_optional(pool);
    row.await?.as_ref().map(device_type).transpose()
}

/// What came of a type that was to be made or changed.
pub(crate) enum Put {
    /// It is made (`true`) or changed.
    Done(DeviceType, bool),
    /// It is of another version.
    Changed,
    /// These fields would be stored as what their columns are not.
    Conflicts(Vec<Detail>),
}

/// Makes a type, or changes the one of that name if it is of that version.
pub(crate) async fn put(pool: &PgPool, name: &str, new: &NewDeviceType, version: Option<i64>) -> Result<Put, Error> {
    let mut transaction = pool.begin().await?;
    // Two at once would not see each other's columns.
    sqlx::query("LOCK TABLE device_types IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
    let put = sqlx::query(concat!(
        "INSERT INTO device_types AS t (name, description, sensors) SELECT $1, $2, $3
           WHERE $4::bigint IS NULL OR EXISTS (SELECT 1 FROM device_types WHERE name = $1)
         ON CONFLICT (name) DO UPDATE SET description = excluded.description, sensors = excluded.sensors,
           version = t.version + 1, updated_at = now() WHERE $4::bigint IS NULL OR t.version = $4
         RETURNING ",
        columns!()
    ));
    let present = present(&mut transaction, name).await?;
    remember(&mut transaction, name).await?;
    let row = put.bind(name).bind(&new.description).bind(Json(&new.sensors)).bind(version);
    let Some(row) = row.fetch_optional(&mut *transaction).await? else { return Ok(Put::Changed) };
    let conflicts = conflicts(&new.sensors, &present);
    if !conflicts.is_empty() {
        return Ok(Put::Conflicts(conflicts));
    }
    transaction.commit().await?;
    let kind = device_type(&row)?;
    let is_new = kind.version == 1;
    Ok(Put::Done(kind, is_new))
}

/// The columns with which a type of this name must agree: those of the others, its own once it has devices, and those that
/// have readings of the past. What a device has sent stays, so those that were decommissioned count.
async fn present(connection: &mut PgConnection, name: &str) -> Result<Vec<Column>, Error> {
    let rows = sqlx::query(
        "SELECT type, measurement, field, kind FROM type_columns t
         WHERE type <> $1 OR EXISTS (SELECT 1 FROM devices d WHERE d.type = t.type)
         UNION ALL SELECT type, measurement, field, kind FROM past_columns",
    );
    let rows = rows.bind(name).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let kind = FieldType::deserialize(row.try_get::<&str, _>("kind")?.into_deserializer());
            Ok(Column {
                measurement: row.try_get("measurement")?,
                field: row.try_get("field")?,
                kind: kind.map_err(|error: serde::de::value::Error| Error::Decode(Box::new(error)))?,
                of: row.try_get("type")?,
            })
        })
        .collect()
}

/// Notes what readings of this type may be stored as, before the type is changed or a device goes over to another.
pub(super) async fn remember(connection: &mut PgConnection, name: &str) -> Result<(), Error> {
    let remember = sqlx::query(
        "INSERT INTO past_columns (type, measurement, field, kind)
         SELECT type, measurement, field, kind FROM type_columns t
         WHERE type = $1 AND EXISTS (SELECT 1 FROM devices d WHERE d.type = t.type)
         ORDER BY measurement, field ON CONFLICT DO NOTHING",
    );
    remember.bind(name).execute(connection).await.map(drop)
}

/// What came of a type that was to be removed.
pub(crate) enum Remove {
    /// It is gone.
    Done,
    /// There is none.
    None,
    /// It is of another version.
    Changed,
    /// So many devices have it.
    Used(i64),
}

/// Removes a type, if it is of that version.
pub(crate) async fn remove(pool: &PgPool, name: &str, version: Option<i64>) -> Result<Remove, Error> {
    let removed = sqlx::query(
        "DELETE FROM device_types t WHERE name = $1 AND ($2::bigint IS NULL OR version = $2)
           AND NOT EXISTS (SELECT 1 FROM devices d WHERE d.type = t.name)",
    );
    match removed.bind(name).bind(version).execute(pool).await {
        Ok(done) if done.rows_affected() > 0 => return Ok(Remove::Done),
        Ok(_) => {}
        // A device of it was registered in the same moment.
        Err(Error::Database(error)) if error.is_foreign_key_violation() => return Ok(Remove::Used(1)),
        Err(error) => return Err(error),
    }
    let row = sqlx::query(
        "SELECT $2::bigint IS NOT NULL AND version <> $2 AS changed,
           (SELECT count(*) FROM devices WHERE type = t.name) AS devices FROM device_types t WHERE name = $1",
    );
    Ok(match row.bind(name).bind(version).fetch_optional(pool).await? {
        None => Remove::None,
        Some(row) if row.try_get("changed")? => Remove::Changed,
        Some(row) => Remove::Used(row.try_get("devices")?),
    })
}

fn device_type(row: &PgRow) -> Result<DeviceType, Error> {
    Ok(DeviceType {
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        sensors: row.try_get::<Json<ReadingSchema>, _>("sensors")?.0,
        version: row.try_get("version")?,
        created_at: rows::time(row, "created")?,
        updated_at: rows::time(row, "updated")?,
    })
}
