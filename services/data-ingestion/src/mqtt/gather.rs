//! A connection that gathers. What is written is sent before it reads on: the MQTT library flushes after each
//! acknowledgement, which would be a system call and a packet for every message. When little was read it pauses before it reads
//! again, as whatever is read together takes one turn through Redis. It reads nothing while too much is open.

use super::open::Open;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// As much is held back at most.
const MOST: usize = 16 * 1024;
/// Half of what the library reads at once: more may wait already.
const MUCH: usize = 4 * 1024;

/// The library reads whenever it has nothing else to do, so what is held back goes out as soon as nothing more comes to it.
#[derive(Debug)]
pub struct Gathering {
    stream: TcpStream,
    held: Vec<u8>,
    open: Arc<Open>,
    linger: Duration,
    pause: Pin<Box<Sleep>>,
}

impl Gathering {
    /// Gathers for this connection.
    pub fn new(stream: TcpStream, open: Arc<Open>, linger: Duration) -> Self {
        Self { stream, held: Vec::new(), open, linger, pause: Box::pin(tokio::time::sleep(Duration::ZERO)) }
    }

    fn send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(context, &self.held))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.held.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Gathering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(Err(error)) = self.send(context) {
            return Poll::Ready(Err(error));
        }
        ready!(self.open.poll_room(context));
        ready!(self.pause.as_mut().poll(context));
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        // A buffer that is full now says nothing of what still waits.
        if buffer.remaining() > 0 && buffer.filled().len() - before < MUCH {
            let until = Instant::now() + self.linger;
            self.pause.as_mut().reset(until);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Gathering {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.held.len() + bytes.len() > MOST {
            ready!(self.send(context))?;
        }
        self.held.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Drop for Gathering {
    /// The farewell is the last thing written, and nothing is read after it.
    fn drop(&mut self) {
        let _ = self.stream.try_write(&self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    async fn pair(linger: Duration) -> (Gathering, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (ours, theirs) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        (Gathering::new(ours.unwrap(), Arc::new(Open::new(1)), linger), theirs.unwrap().0)
    }

    #[tokio::test]
    async fn what_was_written_goes_out_in_one_piece_when_something_is_to_be_read() {
        let (mut ours, mut theirs) = pair(Duration::ZERO).await;
        for part in ["a", "b", "c"] {
            ours.write_all(part.as_bytes()).await.unwrap();
            ours.flush().await.unwrap();
        }
        let mut sent = [0; 8];
        assert_eq!(theirs.try_read(&mut sent).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let reader = tokio::spawn(async move { ours.read_u8().await.map(|byte| (byte, ours)) });
        assert_eq!(theirs.read(&mut sent).await.unwrap(), 3);
        theirs.write_all(b"x").await.unwrap();
        assert_eq!(reader.await.unwrap().unwrap().0, b'x');
    }

    #[tokio::test]
    async fn more_than_fits_and_what_is_left_at_the_end_arrive_too() {
        let (mut ours, mut theirs) = pair(Duration::ZERO).await;
        let reader = tokio::spawn(async move {
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).await.map(|_| all.len())
        });
        for _ in 0..100 {
            ours.write_all(&[7; 1000]).await.unwrap();
        }
        drop(ours);
        assert_eq!(reader.await.unwrap().unwrap(), 100_000);
    }

    #[tokio::test]
    async fn reading_pauses_when_little_came() {
        let (mut ours, mut theirs) = pair(Duration::from_millis(100)).await;
        theirs.write_all(b"a").await.unwrap();
        assert_eq!(ours.read(&mut [0; 16]).await.unwrap(), 1);
        theirs.write_all(b"b").await.unwrap();
        ours.stream.readable().await.unwrap();
        let begun = Instant::now();
        assert_eq!(ours.read(&mut [0; 16]).await.unwrap(), 1);
        assert!(begun.elapsed() > Duration::from_millis(50), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn reading_does_not_pause_while_more_waits_than_the_buffer_holds() {
        let (mut ours, mut theirs) = pair(Duration::from_secs(5)).await;
        theirs.write_all(&[7; 1000]).await.unwrap();
        ours.stream.readable().await.unwrap();
        let begun = Instant::now();
        for _ in 0..10 {
            ours.read_exact(&mut [0; 100]).await.unwrap();
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    }
}
