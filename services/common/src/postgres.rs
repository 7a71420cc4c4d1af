//! PostgreSQL: settings, a pool that connects when it is needed, and its readiness check.

use crate::causes;
use crate::config::{Environment, Invalid};
use crate::context::Context;
use diagnostic::Secret;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{Connection, SqlSafeStr};
use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `POSTGRES_HOST`
    pub host: String,
    /// `POSTGRES_PORT`
    pub port: u16,
    /// `POSTGRES_DATABASE`
    pub database: String,
    /// `POSTGRES_USER`
    pub user: String,
    /// `POSTGRES_PASSWORD(_FILE)`
    pub password: Option<Secret<String>>,
    /// `POSTGRES_TLS`
    pub tls: PgSslMode,
    /// `POSTGRES_TLS_CA`
    pub authority: Option<PathBuf>,
    /// `POSTGRES_CONNECTIONS`
    pub connections: u32,
}

impl Settings {
    /// Reads the variables; `user` and `database` are the defaults.
    ///
    /// # Errors
    /// Noted in `environment`.
    pub fn read(environment: &mut Environment) -> Result<Self, Invalid> {
        environment.section("PostgreSQL");
        let host =
            environment.variable("POSTGRES_HOST", "host of the database, or the directory of its socket").required();
        let port = environment.variable("POSTGRES_PORT", "port of the database").within(1, 65_535).default(5432);
        let database = environment.variable("POSTGRES_DATABASE", "name of the database").default("iotdb");
        let user = environment.variable("POSTGRES_USER", "our role in the database").default("iotuser");
        let password = environment.variable("POSTGRES_PASSWORD", "password of our role").optional_secret();
        let tls = environment
            .variable("POSTGRES_TLS", "whether the connection is encrypted, as of libpq's `sslmode`")
            .one_of(&["disable", "prefer", "require", "verify-ca", "verify-full"])
            .default::<String>("prefer");
        let authority = environment.variable("POSTGRES_TLS_CA", "certificates to trust, PEM").optional();
        let connections =
            environment.variable("POSTGRES_CONNECTIONS", "how many connections at most").within(1, 1_000).default(8);
        let tls = match tls?.as_str() {
            "disable" => PgSslMode::Disable,
            "require" => PgSslMode::Require,
            "verify-ca" => PgSslMode::VerifyCa,
            "verify-full" => PgSslMode::VerifyFull,
            _ => PgSslMode::Prefer,
        };
        Ok(Self {
            host: host?,
            port: port?,
            database: database?,
            user: user?,
            password: password?,
            tls,
            authority: authority?,
            connections: connections?,
        })
    }

    /// What a connection needs; `application` shows in `pg_stat_activity`.
    pub fn options(&self, application: &str) -> PgConnectOptions {
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .database(&self.database)
            .username(&self.user)
            .ssl_mode(self.tls)
            .application_name(application)
            // A request that waits for another's lock is better told to come again than kept until its caller is gone.
            .options([("lock_timeout", "5s"), ("idle_in_transaction_session_timeout", "2min")]);
        if let Some(password) = &self.password {
            options = options.password(password.reveal());
        }
        if let Some(authority) = &self.authority {
            options = options.ssl_root_cert(authority);
        }
        options
    }

    /// A pool that connects when it is first used: the service starts also while the database is away.
    pub fn pool(&self, application: &str) -> PgPool {
        PgPoolOptions::new()
            .max_connections(self.connections)
            .acquire_timeout(CONNECT)
            .idle_timeout(Duration::from_secs(300))
            .connect_lazy_with(self.options(application))
    }
}

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long `/ready` waits for the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// `/ready` asks the database from now on.
pub fn watch(context: &Context, pool: &PgPool) {
    let pool = pool.clone();
    context.readiness.check("postgres", PATIENCE, move || answers(pool.clone()));
}

/// The same for a service that needs the database to begin, but can go on without it.
pub fn watch_at_first(context: &Context, pool: &PgPool) {
    let pool = pool.clone();
    context.readiness.check_at_first("postgres", PATIENCE, move || answers(pool.clone()));
}

async fn answers(pool: PgPool) -> Result<(), String> {
    if let Some(mut connection) = pool.try_acquire()
        && connection.ping().await.is_ok()
    {
        return Ok(());
    }
    connect(&pool).await.map(drop).map_err(|error| causes(&error))
}

/// A connection beside the pool, which tells only that it took too long, and not why.
async fn connect(pool: &PgPool) -> Result<PgConnection, sqlx::Error> {
    let connection = tokio::time::timeout(CONNECT, PgConnection::connect_with(&pool.connect_options())).await;
    connection.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

/// Whether an error means that the database is away, so that trying again may help.
pub fn is_away(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
    match error {
        Io(_) | Tls(_) | Protocol(_) | PoolTimedOut | PoolClosed | WorkerCrashed => true,
        // 57P: shut down by its operator, or starting up; 53: out of connections or memory; 40001, 40P01, 55P03: another
        // transaction was in the way (Appendix A of PostgreSQL's manual).
        Database(error) => error.code().is_some_and(|code| {
            code.starts_with("57P") || code.starts_with("53") || matches!(&*code, "40001" | "40P01" | "55P03")
        }),
        _ => false,
    }
}

/// Runs the migrations that are missing, in order, under an advisory lock: of several replicas one works, the others wait.
/// Each is a version, a name and its SQL.
///
/// # Errors
/// The database is away, a migration fails, or one that ran was changed since.
pub async fn migrate(pool: &PgPool, migrations: &[(i64, &'static str, &'static str)]) -> Result<(), MigrateError> {
    let migrations = migrations.iter().map(|(version, name, sql)| {
        Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql.into_sql_str(), false)
    });
    // First whether anybody is there: the pool would not say.
    drop(connect(pool).await?);
    Migrator::with_migrations(migrations.collect()).run(pool).await
}
