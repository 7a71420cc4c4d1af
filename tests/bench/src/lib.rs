//! bench: our speed beside that of peers, each timed in turn in one run on one machine. What is compared does the same
//! work, which is asserted after each run. Misses are printed; they do not fail anything.

mod catalogue;
pub mod iot;
mod machine;
mod outcome;
mod peer;
mod requirement;
mod row;
mod samples;
mod sandbox;
mod startup;
pub mod table;
mod vault;
mod work;

pub use catalogue::{Catalogue, catalogue};
pub use machine::Machine;
pub use peer::Peer;
pub use requirement::{catalogue_verdict, vault_verdict, verdicts};
pub use row::{Measured, measure};
pub use samples::Samples;
pub use sandbox::sandbox;
pub use startup::startup;
pub use table::Table;
pub use vault::vault;
pub use work::Work;
