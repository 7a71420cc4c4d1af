//! Serving a router on a socket: bounded connections, slow heads cut off, an orderly end.

use super::Limits;
use super::lingering::Lingering;
use super::seat::{Seat, Seats};
use crate::context::{Context, Shutdown};
use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// How long a connection for which there is no seat may take to say what it wants.
const STANDING_TIMEOUT: Duration = Duration::from_secs(2);

/// Whoever goes on sending for longer has had the time to read its answer.
const LINGER: Duration = Duration::from_secs(1);

/// Connections that may wait to be accepted: where the power comes back, all devices call at once. With tokio's 128 the kernel
/// let some of a few hundred try again after a second, and broke off others. It allows no more than `net.core.somaxconn`.
const BACKLOG: u32 = 4096;

/// When the process is out of descriptors `accept` fails at once, again and again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// Every request was answered.
    Drained,
    /// The time was up before.
    CutOff,
}

/// Begins to listen.
///
/// # Errors
/// The address is taken, not ours, or a port that needs a privilege.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // So that a service that is started again has its port at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until the shutdown begins, then lets open requests end within `drain`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    context: &Context,
    limits: &Limits,
    drain: Duration,
) -> Served {
    let seats = Seats::new(limits.connections);
    let open = TaskTracker::new();
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            () = context.shutdown.wait() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        match seats.take() {
            Some(seat) => {
                open.spawn(connection(stream, peer, router.clone(), context.shutdown.clone(), seat, limits.idle));
            }
            None => metrics::counter!("http_connections_refused_total").increment(1),
        }
    }
    drop(listener);
    open.close();
    match tokio::time::timeout(drain, open.wait()).await {
        Ok(()) => Served::Drained,
        Err(_) => Served::CutOff,
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    shutdown: Shutdown,
    seat: Seat,
    idle: Duration,
) {
    // Answers are small and complete: waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    // A caller that reads nothing of its answer keeps its seat no longer than one that says nothing: TCP_USER_TIMEOUT, tcp(7).
    let _ = sockopt::set_tcp_user_timeout(&stream, u32::try_from(idle.as_millis()).unwrap_or(u32::MAX));
    let standing = seat.standing;
    // There are few places to stand: they must be free again at once.
    let stream = Lingering::new(stream, if standing { Duration::ZERO } else { LINGER });
    let service = router.map_request(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(seat.clone());
        request.map(axum::body::Body::new)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).max_buf_size(64 * 1024).keep_alive(!standing);
    builder.header_read_timeout(if standing { STANDING_TIMEOUT.min(idle) } else { idle });
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        if error.is_timeout() {
            metrics::counter!("http_connections_timed_out_total").increment(1);
        }
        tracing::debug!(%error, %peer, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_burst_of_connections_waits_for_its_turn() {
        let listener = listen(([127, 0, 0, 1], 0).into()).expect("a port");
        let address = listener.local_addr().expect("its address");
        let burst = futures::future::try_join_all((0..500).map(|_| TcpStream::connect(address)));
        // What the kernel drops it tries again after a second, in vain while nobody accepts.
        let clients = tokio::time::timeout(Duration::from_secs(20), burst).await.expect("all connected in time");
        assert_eq!(clients.expect("no connection breaks").len(), 500);
    }
}
