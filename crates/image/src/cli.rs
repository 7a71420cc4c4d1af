//! The program: what `cargo metadata` prints on standard input, images out.

use crate::elf::Architecture;
use crate::error::Error;
use crate::layout::{Built, build};
use crate::metadata;
use crate::service::{Provenance, Service};
use clap::Parser;
use diagnostic::{Diagnose, Exit};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Builds OCI images of all packages with `[package.metadata.image]`; reads `cargo metadata` on standard input.
///
/// cargo metadata --no-deps --format-version 1 | image --binaries amd64=target/x86_64-unknown-linux-gnu/release --out target/images
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// `<architecture>=<directory>` of static binaries; once for each architecture of the images.
    #[arg(long, required = true)]
    binaries: Vec<String>,
    /// Where the layouts and archives go.
    #[arg(long)]
    out: PathBuf,
    /// Only this package; may be given several times.
    #[arg(long)]
    package: Vec<String>,
    /// What image names begin with.
    #[arg(long, default_value = "ghcr.io/blong14/compute-cluster")]
    repository: String,
    /// Where the sources are.
    #[arg(long, default_value = "https://github.com/blong14/compute-cluster")]
    source: String,
    /// The sources' commit.
    #[arg(long, default_value = "")]
    revision: String,
    /// The commit's time, RFC 3339.
    #[arg(long, default_value = "1970-01-01T00:00:00Z")]
    created: String,
}

/// Runs the program; a line per image on standard output: name, digest, size of its layers.
pub fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(images) => {
            let mut out = std::io::stdout();
            for image in images {
                let _ = writeln!(out, "{} {} {} bytes", image.reference, image.digest, image.layer_bytes);
            }
            ExitCode::from(Exit::Done.code())
        }
        Err(error) => {
            let mut text = format!("error: {error}\n");
            let mut next = std::error::Error::source(&error);
            while let Some(cause) = next {
                text.push_str(&format!("  caused by: {cause}\n"));
                next = cause.source();
            }
            if let Some(hint) = error.hint() {
                text.push_str(&format!("hint: {hint}\n"));
            }
            let _ = std::io::stderr().write_all(text.as_bytes());
            ExitCode::from(error.exit().code())
        }
    }
}

fn run(cli: &Cli) -> Result<Vec<Built>, Error> {
    let directories = directories(&cli.binaries)?;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(Error::file("standard input"))?;
    let mut packages = metadata::read(&text)?.services()?;
    packages.retain(|package| cli.package.is_empty() || cli.package.contains(&package.name));
    if packages.is_empty() {
        return Err(Error::NoService);
    }
    let provenance = Provenance {
        repository: cli.repository.clone(),
        source: cli.source.clone(),
        revision: cli.revision.clone(),
        created: cli.created.clone(),
    };
    let of = |package: &metadata::Package| {
        let binaries =
            directories.iter().map(|(architecture, directory)| (*architecture, directory.join(&package.name)));
        build(&Service { package, provenance: &provenance }, &binaries.collect(), &cli.out)
    };
    packages.iter().map(of).collect()
}

fn directories(arguments: &[String]) -> Result<BTreeMap<Architecture, PathBuf>, Error> {
    let one = |argument: &String| {
        let (name, directory) = argument.split_once('=')?;
        Some((Architecture::of(name)?, PathBuf::from(directory)))
    };
    arguments.iter().map(|argument| one(argument).ok_or_else(|| Error::Binaries(argument.clone()))).collect()
}
