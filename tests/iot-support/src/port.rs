//! Ports.

use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;

/// Below where Linux takes ports for outgoing connections (`net.ipv4.ip_local_port_range`, from 32768): while a server of a test
/// is away, a client that tries to reach it could otherwise be given its very port, and so keep it from coming back.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port that was free a moment ago.
///
/// # Panics
/// When loopback has none.
pub fn free_port() -> u16 {
    let random = || u16::try_from(RandomState::new().hash_one(0) % u64::from(PORTS.end - PORTS.start)).unwrap_or(0);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(|| PORTS.start + random()).take(1000).find(free).expect("a free port")
}
