//! The controller process of a sandbox that a test brings up: what `cluster sandbox controller` is to people.

use camino::Utf8Path;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ["sandbox", "controller", "--directory", directory] =
        arguments.iter().map(String::as_str).collect::<Vec<_>>()[..]
    else {
        return ExitCode::from(2);
    };
    match sandbox::controller::run(Utf8Path::new(directory)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
