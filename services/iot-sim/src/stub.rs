//! A server for tests: gives one answer after the other, a connection each.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What was asked so far, without bodies.
pub type Asked = Arc<Mutex<Vec<String>>>;

/// Gives these bodies with status 200; where one ends in `…`, the connection breaks before its end. Its address, and what it
/// is asked.
pub async fn serve(bodies: &[&str]) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Asked::default();
    let (heard, bodies) = (Arc::clone(&asked), bodies.iter().map(|body| (*body).to_owned()).collect::<Vec<_>>());
    tokio::spawn(async move {
        for body in bodies {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let head = request(&mut stream).await;
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(head);
            let (sent, missing) = body.strip_suffix('…').map_or((&*body, 0), |sent| (sent, 1));
            let head =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", sent.len() + missing);
            stream.write_all((head + sent).as_bytes()).await.expect("room for an answer");
        }
    });
    (address, asked)
}

/// A request's head; its body is read, too, as a connection that is closed before breaks.
async fn request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        let count = stream.read(&mut piece).await.expect("a request");
        text += &String::from_utf8_lossy(&piece[..count]);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && (count == 0 || body.len() >= length(head))
        {
            return head.to_owned();
        }
        assert!(count > 0, "the request is not whole: {text}");
    }
}

fn length(head: &str) -> usize {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next().map_or(0, |(_, length)| length.parse().expect("a length"))
}
