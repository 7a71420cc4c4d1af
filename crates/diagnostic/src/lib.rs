//! What every crate needs to say what went wrong: where (positions), what to do next (hints), how the process ends
//! (exit codes), and what must not be said (redaction). No I/O, and nothing here prints.

mod closest;
mod diagnose;
mod exit;
mod forms;
mod position;
mod redaction;
mod text;

pub use closest::closest;
pub use diagnose::{Diagnose, Mistake, Mistakes};
pub use exit::Exit;
pub use position::Position;
pub use redaction::{REDACTED, Redactor, SHORTEST_SOUGHT_BYTES, Secret, quoted_forms};
pub use text::text;
