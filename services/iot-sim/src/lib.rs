//! Thousands of simulated devices over MQTT 5, MQTT 3.1.1, HTTP and WebSocket, with the faults of real ones. Each numbers its
//! readings and repeats what has no receipt; what has one stands in a ledger, and `verify` compares that with InfluxDB.

mod cli;
mod device;
mod http;
mod ledger;
mod mqtt;
mod mqtt4;
mod pace;
mod run;
mod socket;
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
    let result = runtime.block_on(async {
        match arguments.command {
            cli::Command::Run(run) => run::run(run).await.map(|summary| (summary.complete, serde_json::to_string(&summary))),
            cli::Command::Verify(verify) => verify::verify(&verify).await.map(|found| (found.equal, serde_json::to_string(&found))),
        }
    });
    match result {
        Ok((good, Ok(text))) => {
            let _ = writeln!(std::io::stdout(), "{text}");
            if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Ok((_, Err(error))) => failed(&error.into()),
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
    ExitCode::FAILURE
}
