//! Thousands of simulated devices over MQTT 5, MQTT 3.1.1, HTTP and WebSocket, with the faults of real ones. Each numbers its
//! readings and repeats what has no receipt; what has one stands in a ledger, and `verify` compares that with InfluxDB.

mod boot;
mod cli;
mod device;
mod hint;
mod http;
mod ledger;
mod mqtt;
mod mqtt4;
mod pace;
mod provision;
mod run;
mod socket;
#[cfg(test)]
mod stub;
mod verify;

use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

/// Runs the program; prints one JSON object. Exit codes: 0 when all is as it should be, 1 when not, 2 for wrong arguments.
pub fn main() -> ExitCode {
    let arguments = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    match runtime.block_on(execute(arguments)) {
        Ok((good, text)) => {
            let _ = writeln!(std::io::stdout(), "{text}");
            if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => failed(&error),
    }
}

/// The same for tests: arguments in; whether all is as it should be, and the JSON object, out.
///
/// # Errors
/// Wrong arguments, or a server is away.
pub async fn run(arguments: &[&str]) -> anyhow::Result<(bool, String)> {
    execute(cli::Cli::try_parse_from(std::iter::once(&"iot-sim").chain(arguments))?).await
}

async fn execute(arguments: cli::Cli) -> anyhow::Result<(bool, String)> {
    match arguments.command {
        cli::Command::Run(options) => {
            let summary = run::run(options).await?;
            Ok((summary.complete, serde_json::to_string(&summary)?))
        }
        cli::Command::Provision(options) => {
            let provisioned = provision::provision(&options).await?;
            Ok((true, serde_json::to_string(&provisioned)?))
        }
        cli::Command::Verify(options) => {
            let found = verify::verify(&options).await?;
            Ok((found.equal, serde_json::to_string(&found)?))
        }
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
    ExitCode::FAILURE
}
