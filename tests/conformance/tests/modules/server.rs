//! A web server whose answers are always the same.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// Starts it; its address.
pub fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            // A connection that only tries the port says nothing.
            drop(answer(&connection));
        }
    });
    address
}

fn answer(connection: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let (mut first, mut length, mut own) = (String::new(), 0, Vec::new());
    if reader.read_line(&mut first)? == 0 {
        return Ok(());
    }
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let lower = line.trim().to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if ["content-type:", "x-own:", "authorization:", "user-agent:"].iter().any(|name| lower.starts_with(name)) {
            own.push(line.trim().to_lowercase());
        }
        if lower.is_empty() {
            break;
        }
    }
    own.sort();
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let path = first.split(' ').nth(1).unwrap_or_default();
    let echo = || serde_json::json!({"first": first.trim(), "headers": own, "body": String::from_utf8_lossy(&body)});
    let (status, headers, text) = match path {
        "/json" => {
            ("200 OK", "Content-Type: application/problem+json\r\nX-Two: a\r\nX-Two: b\r\n", "{\"a\": [1]}".into())
        }
        "/echo" => ("200 OK", "Content-Type: application/json\r\n", echo().to_string()),
        "/moved" => ("302 Found", "Location: /text\r\n", String::new()),
        "/missing" => ("404 Not Found", "Content-Type: application/json\r\n", "{\"why\": 1}".to_owned()),
        "/secret" if own.iter().any(|line| line.contains("basic dtpsb25nzxi=")) => ("200 OK", "", "in".to_owned()),
        "/secret" => ("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", String::new()),
        _ => ("200 OK", "Content-Type: text/plain\r\n", "hello\n".to_owned()),
    };
    let length = text.len();
    write!(&*connection, "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{text}")
}
