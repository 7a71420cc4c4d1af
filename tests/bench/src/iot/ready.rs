//! When a service is ready.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use support::wait_until;

/// How long it took from `begun` until `/ready` answered 200; it is asked every 20 ms.
///
/// # Panics
/// It is not ready after half a minute.
pub fn after(port: u16, begun: Instant) -> Duration {
    wait_until("the service is ready", Duration::from_secs(30), || {
        let answer = ask(port).map_err(|error| error.to_string())?;
        if answer.starts_with("HTTP/1.1 200") { Ok(begun.elapsed()) } else { Err(answer) }
    })
}

fn ask(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
