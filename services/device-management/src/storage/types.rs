//! Device types.

use super::rows;
use crate::model::{DeviceType, NewDeviceType};
use service::schema::ReadingSchema;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Error, PgPool, Row};

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

/// Makes a type, or changes the one of that name if it is of that version. `None`: another version. The flag: it is new.
pub(crate) async fn put(
    pool: &PgPool,
    name: &str,
    new: &NewDeviceType,
    version: Option<i64>,
) -> Result<Option<(DeviceType, bool)>, Error> {
    let row = sqlx::query(concat!(
        "INSERT INTO device_types AS t (name, description, sensors) SELECT $1, $2, $3
           WHERE $4::bigint IS NULL OR EXISTS (SELECT 1 FROM device_types WHERE name = $1)
         ON CONFLICT (name) DO UPDATE SET description = excluded.description, sensors = excluded.sensors,
           version = t.version + 1, updated_at = now() WHERE $4::bigint IS NULL OR t.version = $4
         RETURNING ",
        columns!()
    ))
    .bind(name)
    .bind(&new.description)
    .bind(Json(&new.sensors))
    .bind(version)
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        device_type(&row).map(|kind| {
            let new = kind.version == 1;
            (kind, new)
        })
    })
    .transpose()
}

/// Removes a type. `None`: there is none; otherwise how many devices are of it, and so keep it.
pub(crate) async fn remove(pool: &PgPool, name: &str) -> Result<Option<i64>, Error> {
    let removed = sqlx::query(
        "DELETE FROM device_types t WHERE name = $1 AND NOT EXISTS (SELECT 1 FROM devices d WHERE d.type = t.name)",
    );
    let removed = removed.bind(name).execute(pool).await.map(|done| done.rows_affected() > 0);
    match removed {
        Ok(true) => return Ok(Some(0)),
        // A device of it was registered in the same moment.
        Err(Error::Database(error)) if error.is_foreign_key_violation() => return Ok(Some(1)),
        Err(error) => return Err(error),
        Ok(false) => {}
    }
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM devices WHERE type = t.name) AS devices FROM device_types t WHERE name = $1",
    );
    row.bind(name).fetch_optional(pool).await?.map(|row| row.try_get("devices")).transpose()
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
