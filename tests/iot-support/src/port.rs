//! Ports.

use std::net::TcpListener;

/// A port that was free a moment ago.
///
/// # Panics
/// When loopback has none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("the listener's address").port()
}
