//! PostgreSQL: the only place with SQL.

pub(crate) mod credentials;
pub(crate) mod devices;
pub(crate) mod groups;
pub(crate) mod import;
pub(crate) mod outbox;
mod rows;
pub(crate) mod types;

use sqlx::PgPool;
use sqlx::migrate::MigrateError;

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "devices", include_str!("../../migrations/0001_devices.sql")),
    (2, "told", include_str!("../../migrations/0002_told.sql")),
    (3, "columns", include_str!("../../migrations/0003_columns.sql")),
];

/// Brings the tables up to date.
pub(crate) async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    service::postgres::migrate(pool, MIGRATIONS).await
}

/// Whether trying again may help.
pub(crate) fn is_away(error: &MigrateError) -> bool {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => service::postgres::is_away(error),
        _ => false,
    }
}
