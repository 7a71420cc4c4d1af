//! From the environment to a served router and back: all that `main` does.

use crate::causes;
use crate::config::{Configuration, Environment, Invalid};
use crate::context::Context;
use crate::http::{App, Limits, Served, assemble, listen, serve};
use crate::logs;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Who the service is; made by [`about!`](crate::about).
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Its name, as of the crate.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it is for, in a line.
    pub about: &'static str,
    /// Where it listens when `SERVICE_PORT` is not set.
    pub port: u16,
}

/// `about!("what it is for", port)` with name and version of the crate that calls it.
#[macro_export]
macro_rules! about {
    ($about:expr, $port:expr) => {
        $crate::About { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION"), about: $about, port: $port }
    };
}

/// What all services are told.
struct Common {
    address: SocketAddr,
    log: EnvFilter,
    limits: Limits,
    delay: Duration,
    drain: Duration,
}

impl Common {
    fn read(environment: &mut Environment, about: &About) -> Result<Self, Invalid> {
        environment.section("Service");
        let port =
            environment.variable("SERVICE_PORT", "where it listens; 0 takes a free port").default::<u16>(about.port);
        let address =
            environment.variable("SERVICE_ADDRESS", "address on which it listens").default::<IpAddr>("0.0.0.0");
        let level = environment
            .variable("LOG_LEVEL", "`error`, `warn`, `info`, `debug`, `trace`, or per part as `info,sqlx=warn`")
            .default::<String>("info");
        let delay = environment
            .variable("SHUTDOWN_DELAY", "how long it still serves after SIGTERM while load balancers learn of it")
            .default("0s");
        let drain = environment
            .variable("SHUTDOWN_TIMEOUT", "how long open requests and background tasks may take to end")
            .default("25s");
        let limits = Limits::read(environment);
        let log = match logs::filter(&level?) {
            Ok(log) => log,
            Err(wrong) => {
                return Err(environment.mistake("LOG_LEVEL", wrong, Some("write `info` or `info,sqlx=warn`")));
            }
        };
        Ok(Self { address: SocketAddr::new(address?, port?), log, limits: limits?, delay: delay?, drain: drain? })
    }
}

const HELP: &str = "
Options:
  --print-config  every variable with its comment, and what it is set to
  --check-config  whether the variables are right, and nothing else
  --probe         asks the service that runs here whether it lives (for images without a shell)
  --version       the version
  --help          this text
";

/// Runs a service: reads its configuration, calls `start` for its routes, serves them until SIGTERM or SIGINT.
/// Exit codes: 0 after an orderly end, 1 when a task failed or requests were cut off, 2 for a wrong configuration.
pub fn run<C, S, F, E>(about: About, start: S) -> ExitCode
where
    C: Configuration,
    S: FnOnce(C, Context) -> F,
    F: Future<Output = Result<App, E>>,
    E: std::error::Error + 'static,
{
    let argument = std::env::args().nth(1);
    let mut environment = Environment::of_process();
    let common = Common::read(&mut environment, &about);
    let config = environment.read::<C>();
    match argument.as_deref() {
        None => {}
        Some("--print-config") => return print(&environment.print()),
        Some("--version") => return print(&format!("{} {}\n", about.name, about.version)),
        Some("--help") => return print(&format!("{}: {}\n{HELP}", about.name, about.about)),
        Some("--check-config") if config.is_ok() => return ExitCode::SUCCESS,
        Some("--check-config") => {}
        Some("--probe") => return common.map_or(ExitCode::from(2), |common| probe(common.address)),
        Some(other) => return complain(&format!("error: unknown option `{other}`\n{HELP}")),
    }
    let (Ok(common), Ok(config)) = (common, config) else {
        let lines: String = environment.mistakes().iter().map(|mistake| format!("{mistake}\n")).collect();
        return complain(&format!("{lines}  = hint: `{} --print-config` shows every variable\n", about.name));
    };
    logs::start(common.log.clone(), about.name);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("error: no threads to run on: {error}\n")),
    };
    runtime.block_on(serve_until_told(about, common, config, start))
}

async fn serve_until_told<C, S, F, E>(about: About, common: Common, config: C, start: S) -> ExitCode
where
    S: FnOnce(C, Context) -> F,
    F: Future<Output = Result<App, E>>,
    E: std::error::Error + 'static,
{
    let context = Context::default();
    let listener = match listen(common.address) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(address = %common.address, %error, "cannot listen");
            return ExitCode::FAILURE;
        }
    };
    watch_signals(&context, common.delay, common.drain);
    // Before anything is counted: what comes earlier would be lost, and a gauge that is set once would stay so.
    crate::metrics::recorder();
    let app = match start(config, context.clone()).await {
        Ok(app) => app,
        Err(error) => {
            tracing::error!(error = causes(&error), "cannot start");
            return ExitCode::FAILURE;
        }
    };
    let limits = common.limits.within_files();
    let router = assemble(app, &about, &context, &limits);
    let address = listener.local_addr().unwrap_or(common.address);
    tracing::info!(%address, version = about.version, "listening");
    let serving = serve(listener, router, &context, &limits, common.drain);
    let (served, drained) = drained(&context, common.drain, serving).await;
    let orderly = served == Served::Drained && drained && !context.has_failed();
    tracing::info!(orderly, "ended");
    if orderly { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Requests and background tasks end beside each other: each has the whole time, together they do not have it twice.
async fn drained(context: &Context, drain: Duration, serving: impl Future<Output = Served>) -> (Served, bool) {
    let tasks = async {
        context.shutdown.wait().await;
        tokio::time::timeout(drain, context.drained()).await.is_ok()
    };
    tokio::join!(serving, tasks)
}

/// SIGTERM and SIGINT begin the shutdown; not ready at once, so that nobody sends new work.
fn watch_signals(context: &Context, delay: Duration, drain: Duration) {
    let context = context.clone();
    tokio::spawn(async move {
        let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
            return tracing::error!("signals cannot be watched");
        };
        let name = tokio::select! { _ = term.recv() => "SIGTERM", _ = int.recv() => "SIGINT" };
        tracing::info!(signal = name, drain_seconds = drain.as_secs_f64(), "shutting down");
        context.readiness.drain();
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        context.shutdown.begin();
    });
}

/// `GET /health` on our own port.
fn probe(address: SocketAddr) -> ExitCode {
    use std::io::Read;
    let ip = if address.ip().is_unspecified() { IpAddr::from([127, 0, 0, 1]) } else { address.ip() };
    let limit = Duration::from_secs(2);
    let ask = || -> std::io::Result<String> {
        let mut stream = std::net::TcpStream::connect_timeout(&SocketAddr::new(ip, address.port()), limit)?;
        stream.set_read_timeout(Some(limit))?;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(4096).read_to_string(&mut answer)?;
        Ok(answer)
    };
    match ask() {
        Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => ExitCode::SUCCESS,
        Ok(answer) => complain(&format!("error: {}\n", answer.lines().next().unwrap_or("an empty answer"))),
        Err(error) => complain(&format!("error: no answer from port {}: {error}\n", address.port())),
    }
}

fn print(text: &str) -> ExitCode {
    // Whoever closed the pipe has seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn complain(text: &str) -> ExitCode {
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_and_tasks_that_do_not_end_share_one_deadline() {
        let (context, drain) = (Context::default(), Duration::from_secs(25));
        context.spawn("stuck", std::future::pending::<Result<(), std::convert::Infallible>>());
        context.shutdown.begin();
        let begun = tokio::time::Instant::now();
        let serving = async {
            tokio::time::sleep(drain).await;
            Served::CutOff
        };
        assert_eq!(drained(&context, drain, serving).await, (Served::CutOff, false));
        assert_eq!(begun.elapsed(), drain);
    }
}
