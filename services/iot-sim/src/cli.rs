//! The arguments.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// The longest time that can be given: a run that is older sends nothing any more.
pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Simulated devices for the IoT data path.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lets devices send readings until all have receipts, and writes the ledger.
    Run(Box<Run>),
    /// Registers devices with device-management, all or none, and writes their keys.
    Provision(Provision),
    /// Compares a ledger with what InfluxDB holds.
    Verify(Verify),
}

/// How a device talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// MQTT 5.
    Mqtt,
    /// MQTT 3.1.1.
    Mqtt4,
    /// HTTP, in batches.
    Http,
    /// WebSocket.
    Ws,
}

/// Lets devices send.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// How many devices.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub devices: u32,
    /// How many readings in all.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub messages: u64,
    /// Readings per second in all; 0 for as fast as receipts come.
    #[arg(long, default_value_t = 0)]
    pub rate: u64,
    /// How they talk; several are shared out evenly.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "mqtt")]
    pub transport: Vec<Transport>,
    /// How many connections; 0 for one a device. Fewer are gateways that speak for several devices (MQTT only).
    #[arg(long, default_value_t = 0)]
    pub connections: u32,
    /// Device ids are `<name>-<number>`.
    #[arg(long, default_value = "sim")]
    pub name: String,
    /// Lines `<device> <key>`: real devices with their own keys, instead of `--name` and `--key`.
    #[arg(long)]
    pub keys: Option<PathBuf>,
    /// The key of every device.
    #[arg(long, env = "IOT_SIM_KEY", hide_env_values = true, default_value = "")]
    pub key: String,
    /// The broker.
    #[arg(long, default_value = "127.0.0.1:1883")]
    pub mqtt: String,
    /// The account of gateways at the broker; without it each device uses its id and key.
    #[arg(long)]
    pub mqtt_username: Option<String>,
    /// Its password.
    #[arg(long, env = "IOT_SIM_MQTT_PASSWORD", hide_env_values = true)]
    pub mqtt_password: Option<String>,
    /// No account at the broker.
    #[arg(long)]
    pub anonymous: bool,
    /// Certificates (PEM) by which the broker is known; with them the connection is encrypted.
    #[arg(long)]
    pub tls_ca: Option<PathBuf>,
    /// Quality of service of readings over MQTT. 0 is only safe with receipts.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub qos: u8,
    /// Plain devices (MQTT only): no numbers, no receipts; the broker's acknowledgement is believed, and stands in the ledger.
    #[arg(long)]
    pub no_receipts: bool,
    /// What topics begin with.
    #[arg(long, default_value = "neurobuild")]
    pub prefix: String,
    /// data-ingestion; several are used in turn.
    #[arg(long, value_delimiter = ',', default_value = "http://127.0.0.1:8081")]
    pub http: Vec<String>,
    /// Where the ledger goes.
    #[arg(long)]
    pub ledger: PathBuf,
    /// Readings of a device that may wait for a receipt.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    pub window: u32,
    /// After how long a reading without receipt is sent again; then after twice, four and eight times as long.
    #[arg(long, default_value = "5", value_parser = seconds)]
    pub repeat_after: Duration,
    /// After how long to give up.
    #[arg(long, default_value = "600", value_parser = seconds)]
    pub timeout: Duration,
    /// Share of readings that are sent twice.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pub duplicates: f64,
    /// Share of readings whose time is an hour ago.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pub late: f64,
    /// Share of readings with the time of the one before.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pub same_time: f64,
    /// Share of readings that a broken message follows.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pub malformed: f64,
    /// Chance per connection and second that it breaks.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pub reconnects: f64,
}

/// Registers devices.
#[derive(Debug, Clone, Args)]
pub struct Provision {
    /// device-management.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub management: String,
    /// What an administrator presents to it.
    #[arg(long, env = "IOT_SIM_ADMIN_TOKEN", hide_env_values = true)]
    pub token: String,
    /// How many devices.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub devices: u32,
    /// Device ids are `<name>-<number>`.
    #[arg(long, default_value = "sim")]
    pub name: String,
    /// Their type.
    #[arg(long = "type", default_value = "ESP32-S3")]
    pub kind: String,
    /// Where lines `<device> <key>` go, for `run --keys`.
    #[arg(long)]
    pub keys: PathBuf,
    /// How long the broker may take to know all of them.
    #[arg(long, default_value = "120", value_parser = seconds)]
    pub timeout: Duration,
}

/// Compares.
#[derive(Debug, Clone, Args)]
pub struct Verify {
    /// The ledger.
    #[arg(long)]
    pub ledger: PathBuf,
    /// InfluxDB 1.x.
    #[arg(long, default_value = "http://127.0.0.1:8086")]
    pub influx: String,
    /// Its database.
    #[arg(long, default_value = "iot")]
    pub database: String,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.trim_end_matches('s').parse().map_err(|_| "not a number of seconds".to_owned())?;
    let duration = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if duration.is_zero() || duration > LONGEST {
        return Err(format!("not more than 0 and at most {} seconds", LONGEST.as_secs()));
    }
    Ok(duration)
}

/// A share or a chance.
fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("not from 0 to 1".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of an argument of `run`.
    fn said(argument: &str) -> Option<String> {
        let arguments = ["iot-sim", "run", "--ledger", "l"].into_iter().chain(argument.split(' '));
        Cli::try_parse_from(arguments).err().map(|error| error.to_string())
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for argument in [
            "--devices 0",
            "--messages 0",
            "--window 0",
            "--duplicates 5",
            "--late NaN",
            "--same-time inf",
            "--malformed 1.1",
            "--reconnects -0.1",
            "--timeout 0",
            "--timeout NaN",
            "--timeout 604801",
            "--repeat-after 1e19",
        ] {
            let said = said(&argument.replacen(' ', "=", 1)).unwrap_or_else(|| panic!("{argument} is taken"));
            let (name, value) = argument.split_once(' ').expect("a name and a value");
            assert!(said.contains(&format!("invalid value '{value}' for '{name} ")), "{said}");
        }
    }

    #[test]
    fn the_ends_of_what_makes_sense_are_taken() {
        let arguments = "--devices 1 --messages 1 --window 1 --duplicates 1 --late 0 --malformed 1 --reconnects 1 --connections 0 \
                         --rate 0 --timeout 604800 --repeat-after 0.5s";
        let words: Vec<&str> = arguments.split_whitespace().collect();
        assert_eq!(said(&words.join(" ")), None);
    }
}
