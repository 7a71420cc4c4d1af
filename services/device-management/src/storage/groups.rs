//! Groups.

use super::rows;
use crate::model::{Group, NewGroup};
use sqlx::postgres::PgRow;
use sqlx::{Error, PgPool, Row};

macro_rules! columns {
    () => {
        "g.name::text AS name, g.description, (extract(epoch FROM g.created_at) * 1000000)::bigint AS created,
         (SELECT count(*) FROM group_members m WHERE m.group_name = g.name) AS devices"
    };
}

pub(crate) async fn list(pool: &PgPool) -> Result<Vec<Group>, Error> {
    let rows = sqlx::query(concat!("SELECT ", columns!(), " FROM groups g ORDER BY g.name")).fetch_all(pool).await?;
    rows.iter().map(group).collect()
}

pub(crate) async fn find(pool: &PgPool, name: &str) -> Result<Option<Group>, Error> {
    let row =
        sqlx::query(concat!("SELECT ", columns!(), " FROM groups g WHERE g.name = $1")).bind(name).fetch_optional(pool);
    row.await?.as_ref().map(group).transpose()
}

/// Makes a group or changes the one of that name. The flag: it is new.
pub(crate) async fn put(pool: &PgPool, name: &str, new: &NewGroup) -> Result<(Group, bool), Error> {
    // `xmax` is 0 in a row that was inserted and not updated.
    let row = sqlx::query(concat!(
        "INSERT INTO groups AS g (name, description) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET description = excluded.description RETURNING g.xmax = 0 AS made, ",
        columns!()
    ))
    .bind(name)
    .bind(&new.description)
    .fetch_one(pool)
    .await?;
    Ok((group(&row)?, row.try_get("made")?))
}

/// Removes a group; its devices stay. Whether there was one.
pub(crate) async fn remove(pool: &PgPool, name: &str) -> Result<bool, Error> {
    Ok(sqlx::query("DELETE FROM groups WHERE name = $1").bind(name).execute(pool).await?.rows_affected() > 0)
}

/// Puts a device into a group. `false`: one of them does not exist, or the device is decommissioned.
pub(crate) async fn add(pool: &PgPool, name: &str, device: &str) -> Result<bool, Error> {
    let row = sqlx::query(
        "WITH pair AS (SELECT g.name, d.id FROM groups g, devices d WHERE g.name = $1 AND d.id = $2 AND d.state <> 'decommissioned'),
              added AS (INSERT INTO group_members (group_name, device_id) SELECT name, id FROM pair ON CONFLICT DO NOTHING)
         SELECT count(*) AS found FROM pair",
    );
    Ok(row.bind(name).bind(device).fetch_one(pool).await?.try_get::<i64, _>("found")? > 0)
}

/// Takes a device out of a group. Whether it was in it.
pub(crate) async fn take(pool: &PgPool, name: &str, device: &str) -> Result<bool, Error> {
    let taken =
        sqlx::query("DELETE FROM group_members WHERE group_name = $1 AND device_id = $2").bind(name).bind(device);
    Ok(taken.execute(pool).await?.rows_affected() > 0)
}

fn group(row: &PgRow) -> Result<Group, Error> {
    Ok(Group {
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        devices: row.try_get("devices")?,
        created_at: rows::time(row, "created")?,
    })
}
