//! Reading columns. sqlx knows no `jiff`: times travel as microseconds since 1970.

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{Error, Row};

/// A time from a column of microseconds.
pub(super) fn time(row: &PgRow, column: &str) -> Result<Timestamp, Error> {
    optional_time(row, column)?
        .ok_or_else(|| Error::ColumnDecode { index: column.to_owned(), source: "no time".into() })
}

/// A time that may be absent.
pub(super) fn optional_time(row: &PgRow, column: &str) -> Result<Option<Timestamp>, Error> {
    let microseconds: Option<i64> = row.try_get(column)?;
    let time = microseconds.map(Timestamp::from_microsecond).transpose();
    time.map_err(|error| Error::ColumnDecode { index: column.to_owned(), source: Box::new(error) })
}

/// Text that must be a device id; the table's own check says so too.
pub(super) fn device_id(row: &PgRow, column: &str) -> Result<service::DeviceId, Error> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|error| Error::ColumnDecode { index: column.to_owned(), source: Box::new(error) })
}
