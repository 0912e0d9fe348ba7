//! The control connection as lines: bounded, cancel-safe.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::reply::Reply;

/// The longest command line, bytes: two paths of 255 and room.
const MAX_LINE: usize = 2048;

/// Why no line came.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("the line is too long")]
    TooLong,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A control connection, plain or under TLS.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    /// Bytes read and not yet a line; they survive a cancelled [`Wire::next_line`].
    buffer: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// The next line without its end; `None` at the end of the stream.
    pub async fn next_line(&mut self) -> Result<Option<Vec<u8>>, WireError> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.buffer[searched..].iter().position(|b| *b == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=searched + at).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return if line.len() > MAX_LINE { Err(WireError::TooLong) } else { Ok(Some(line)) };
            }
            if self.buffer.len() > MAX_LINE {
                return Err(WireError::TooLong);
            }
            searched = self.buffer.len();
            self.buffer.reserve(MAX_LINE);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    pub async fn send(&mut self, reply: &Reply, limit: Duration) -> Result<(), WireError> {
        let write = async {
            self.stream.write_all(&reply.to_bytes()).await?;
            self.stream.flush().await
        };
        Ok(timeout(limit, write).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??)
    }

    /// Whether more has come than the last line.
    pub fn has_more(&self) -> bool {
        !self.buffer.is_empty()
    }

    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    pub fn into_stream(self) -> S {
        self.stream
    }

    /// Says goodbye to TLS too.
    pub async fn close(&mut self, limit: Duration) {
        // The peer may be gone; there is nobody to tell.
        let _ = timeout(limit, self.stream.shutdown()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_come_whole_however_the_bytes_do() {
        let (mut client, server) = tokio::io::duplex(1);
        let mut wire = Wire::new(server);
        let send = async { client.write_all(b"USER a\r\nNOOP\nrest").await.expect("sent") };
        let read = async {
            assert_eq!(wire.next_line().await.expect("line"), Some(b"USER a".to_vec()));
            assert_eq!(wire.next_line().await.expect("line"), Some(b"NOOP".to_vec()));
        };
        tokio::join!(read, async {
            let _ = timeout(Duration::from_millis(50), send).await;
        });
    }

    #[tokio::test]
    async fn an_endless_line_is_refused() {
        let (mut client, server) = tokio::io::duplex(64 * 1024);
        client.write_all(&[b'A'; 5000]).await.expect("sent");
        assert!(matches!(Wire::new(server).next_line().await, Err(WireError::TooLong)));
    }
}
