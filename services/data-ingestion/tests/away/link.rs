//! A way to a server that can be cut for one client alone.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Whoever connects here reaches the server, until it is cut.
pub struct Link {
    pub port: u16,
    whole: watch::Sender<bool>,
}

impl Link {
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let (whole, _) = watch::channel(true);
        let is_whole = whole.subscribe();
        tokio::spawn(async move {
            while let Ok((mut ours, _)) = listener.accept().await {
                let mut is_whole = is_whole.clone();
                tokio::spawn(async move {
                    if !*is_whole.borrow() {
                        return Ok(());
                    }
                    let mut theirs = TcpStream::connect(("127.0.0.1", server)).await?;
                    tokio::select! {
                        result = copy_bidirectional(&mut ours, &mut theirs) => result.map(drop),
                        _ = is_whole.wait_for(|whole| !whole) => Ok::<(), std::io::Error>(()),
                    }
                });
            }
        });
        Self { port, whole }
    }

    /// Connections break, and new ones come to nothing.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}
