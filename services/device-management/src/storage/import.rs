//! Imports: many devices at once, a chunk in a statement; what became of each line waits in a temporary table, so that
//! neither the request nor the answer is ever whole in memory.

use crate::model::Line;
use futures::StreamExt;
use futures::stream::BoxStream;
use sqlx::pool::PoolConnection;
use sqlx::types::Json;
use sqlx::{Error, PgConnection, PgPool, Postgres, Row};
use std::time::Duration;
use uuid::Uuid;

/// Whoever reads nothing of the answer for so long is gone.
const UNREAD: Duration = Duration::from_secs(30);

/// A line, and the key of its device.
#[derive(Debug)]
pub(crate) struct Keyed {
    pub(crate) number: i64,
    pub(crate) line: Line,
    pub(crate) credential: Uuid,
    pub(crate) hash: [u8; 32],
    pub(crate) sealed: Vec<u8>,
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) number: i64,
    pub(crate) device: Option<String>,
    pub(crate) problem: Option<String>,
}

/// How many lines became devices, and how many did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) created: i64,
    pub(crate) failed: i64,
}

/// A connection of its own, for the time of one import. It is closed at the end, and the temporary table with it.
pub(crate) struct Import {
    connection: PgConnection,
}

impl Import {
    /// `whole`: nothing is there for others before [`Import::keep`].
    pub(crate) async fn begin(pool: &PgPool, whole: bool) -> Result<Self, Error> {
        let connection: PoolConnection<Postgres> = pool.acquire().await?;
        let mut connection = connection.detach();
        sqlx::query("CREATE TEMPORARY TABLE import_fates (line bigint NOT NULL, device_id text, problem text)")
            .execute(&mut connection)
            .await?;
        if whole {
            sqlx::query("BEGIN").execute(&mut connection).await?;
        }
        Ok(Self { connection })
    }

    /// Keeps all that was added since [`Import::begin`].
    pub(crate) async fn keep(&mut self) -> Result<(), Error> {
        sqlx::query("COMMIT").execute(&mut self.connection).await.map(drop)
    }

    /// Notes lines that were not even read.
    pub(crate) async fn reject(&mut self, lines: &[(i64, Option<String>, String)]) -> Result<(), Error> {
        let numbers: Vec<i64> = lines.iter().map(|line| line.0).collect();
        let devices: Vec<Option<&str>> = lines.iter().map(|line| line.1.as_deref()).collect();
        let problems: Vec<&str> = lines.iter().map(|line| line.2.as_str()).collect();
        sqlx::query("INSERT INTO import_fates SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])")
            .bind(&numbers)
            .bind(&devices)
            .bind(&problems)
            .execute(&mut self.connection)
            .await
            .map(drop)
    }

    /// Adds devices with their keys. Those that exist, or whose type or group does not, are noted as such. All in one
    /// statement: a chunk is there as a whole or not at all.
    pub(crate) async fn add(&mut self, lines: &[Keyed]) -> Result<(), Error> {
        let column = |of: fn(&Keyed) -> Option<&str>| {
            lines.iter().map(of).map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
        };
        let tags: Vec<_> = lines.iter().map(|keyed| Json(&keyed.line.device.tags)).collect();
        let groups: Vec<_> = lines.iter().map(|keyed| Json(&keyed.line.device.groups)).collect();
        sqlx::query(INSERT)
            .bind(lines.iter().map(|keyed| keyed.number).collect::<Vec<_>>())
            .bind(column(|keyed| Some(keyed.line.id.as_str())))
            .bind(column(|keyed| Some(&keyed.line.device.kind)))
            .bind(column(|keyed| Some(&keyed.line.device.name)))
            .bind(column(|keyed| Some(&keyed.line.device.description)))
            .bind(column(|keyed| keyed.line.device.location.name.as_deref()))
            .bind(column(|keyed| keyed.line.device.location.room.as_deref()))
            .bind(column(|keyed| keyed.line.device.location.zone.as_deref()))
            .bind(lines.iter().map(|keyed| keyed.line.device.location.latitude).collect::<Vec<_>>())
            .bind(lines.iter().map(|keyed| keyed.line.device.location.longitude).collect::<Vec<_>>())
            .bind(&tags)
            .bind(column(|keyed| keyed.line.device.firmware.as_deref()))
            .bind(&groups)
            .bind(lines.iter().map(|keyed| keyed.credential).collect::<Vec<_>>())
            .bind(lines.iter().map(|keyed| keyed.hash.to_vec()).collect::<Vec<_>>())
            .bind(lines.iter().map(|keyed| keyed.sealed.clone()).collect::<Vec<_>>())
            .execute(&mut self.connection)
            .await
            .map(drop)
    }

    /// How it went so far.
    pub(crate) async fn tally(&mut self) -> Result<Tally, Error> {
        let counted = "SELECT count(*) FILTER (WHERE problem IS NULL) AS created, count(*) FILTER (WHERE problem IS NOT NULL) AS failed FROM import_fates";
        let row = sqlx::query(counted).fetch_one(&mut self.connection).await?;
        Ok(Tally { created: row.try_get("created")?, failed: row.try_get("failed")? })
    }

    /// The first lines that failed.
    pub(crate) async fn failures(&mut self, most: i64) -> Result<Vec<Fate>, Error> {
        let query = sqlx::query(
            "SELECT line, device_id, problem FROM import_fates WHERE problem IS NOT NULL ORDER BY line LIMIT $1",
        );
        query.bind(most).fetch_all(&mut self.connection).await?.iter().map(fate).collect()
    }

    /// What became of every line, in order. It ends before the last one when nobody reads it.
    pub(crate) fn fates(mut self) -> BoxStream<'static, Result<Fate, Error>> {
        Box::pin(async_stream(move |sender| async move {
            let mut rows = sqlx::query("SELECT line, device_id, problem FROM import_fates ORDER BY line")
                .fetch(&mut self.connection);
            while let Some(row) = rows.next().await {
                let sent = sender.send(row.and_then(|row| fate(&row)));
                // Nor does anybody who does not read keep the connection for ever.
                if !tokio::time::timeout(UNREAD, sent).await.is_ok_and(|sent| sent.is_ok()) {
                    break;
                }
            }
        }))
    }
}

/// What a task sends, as a stream: few rows ahead of whoever reads.
fn async_stream<T: Send + 'static, F>(
    work: impl FnOnce(tokio::sync::mpsc::Sender<T>) -> F,
) -> impl futures::Stream<Item = T>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = tokio::sync::mpsc::channel(64);
    tokio::spawn(work(sender));
    futures::stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|item| (item, receiver)) })
}

fn fate(row: &sqlx::postgres::PgRow) -> Result<Fate, Error> {
    Ok(Fate { number: row.try_get("line")?, device: row.try_get("device_id")?, problem: row.try_get("problem")? })
}

const INSERT: &str = r#"
WITH given AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::float8[], $10::float8[], $11::jsonb[], $12::text[], $13::jsonb[], $14::uuid[], $15::bytea[], $16::bytea[])
    AS g (line, id, type, name, description, location, room, zone, latitude, longitude, tags, firmware, groups, credential, hash, sealed)
), judged AS (
    SELECT given.*,
        CASE WHEN NOT EXISTS (SELECT 1 FROM device_types t WHERE t.name = given.type)
               THEN 'there is no type `' || given.type || '`'
             WHEN EXISTS (SELECT 1 FROM jsonb_array_elements_text(given.groups) AS w (name)
                          WHERE NOT EXISTS (SELECT 1 FROM groups g WHERE g.name = w.name COLLATE "C"))
               THEN 'there is no group of one of the names'
             WHEN row_number() OVER (PARTITION BY given.id ORDER BY given.line) > 1 THEN 'the id is there twice'
        END AS problem
    FROM given
), made AS (
    INSERT INTO devices (id, type, name, description, location, room, zone, latitude, longitude, tags, firmware)
    SELECT id, type, name, description, location, room, zone, latitude, longitude, tags, firmware
    FROM judged WHERE problem IS NULL ORDER BY id
    ON CONFLICT (id) DO NOTHING RETURNING id
), members AS (
    INSERT INTO group_members (group_name, device_id)
    SELECT DISTINCT w.name, made.id FROM judged JOIN made ON made.id = judged.id COLLATE "C" AND judged.problem IS NULL,
        jsonb_array_elements_text(judged.groups) AS w (name)
), keys AS (
    INSERT INTO credentials (id, device_id, hash)
    SELECT judged.credential, made.id, judged.hash FROM judged JOIN made ON made.id = judged.id COLLATE "C" AND judged.problem IS NULL
), told AS (
    INSERT INTO broker_outbox (device_id, credential_id, sealed)
    SELECT made.id, judged.credential, judged.sealed FROM judged JOIN made ON made.id = judged.id COLLATE "C" AND judged.problem IS NULL
)
INSERT INTO import_fates
SELECT judged.line, judged.id,
    coalesce(judged.problem, CASE WHEN made.id IS NULL THEN 'a device of this id exists already' END)
FROM judged LEFT JOIN made ON made.id = judged.id COLLATE "C"
"#;
