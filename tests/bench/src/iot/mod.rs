//! The IoT data path beside Telegraf: MQTT to InfluxDB, one processor for the peer, the other for everything else.

mod cores;
mod load;
mod management;
mod measure;
mod peer;
mod ready;
mod report;
mod servers;
mod tap;
mod usage;

pub use cores::take_second;
pub use management::idle as management_idle;
pub use measure::{Done, away, drain, idle, steady};
pub use peer::Peer;
pub use report::{Figures, Idle};
pub use usage::Usage;
