//! OCI images of our services, from static binaries, without a container engine: an image is a few JSON files and tar archives
//! (OCI Image Format 1.1), so a program of our own builds the same bytes everywhere, which `docker build` does not.
//! `scripts/images.sh` compiles the binaries and calls it.

mod archive;
mod cli;
mod elf;
mod error;
mod layout;
mod metadata;
mod root;
mod service;

pub use archive::Archive;
pub use cli::main;
pub use elf::Architecture;
pub use error::Error;
pub use layout::{Built, build};
pub use metadata::{Workspace, read as read_metadata};
pub use service::{Provenance, Service};
