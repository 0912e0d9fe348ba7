//! A server that binds data connections with TLS 1.2 only, as proftpd does: 522 under TLS 1.3. The client finds its
//! way and remembers it. Scripted, since that server is not everywhere at hand.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exchange_endpoint::mailbox::{FtpsMailbox, Mailbox, Offered};
use rustls::{ProtocolVersion, ServerConfig};
use svod_hub::edges::pki::CityCa;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::city::City;

type Versions = Arc<Mutex<Vec<ProtocolVersion>>>;

#[tokio::test(flavor = "multi_thread")]
async fn tls12_is_found_and_remembered() {
    let city = City::start().await;
    let versions = Versions::default();
    let address = start(&city.ca, versions.clone()).await;
    let mut settings = city.settings("7700012");
    settings.port = address.port();
    let mailbox = FtpsMailbox::new(settings).expect("settings");
    let offered = Offered { name: "A.zip".into(), size: 3 };
    assert_eq!(mailbox.list_out().await.expect("listed"), [offered]);
    mailbox.wait(Duration::ZERO).await.expect("connected");
    let seen = versions.lock().expect("not poisoned").clone();
    assert_eq!(seen, [ProtocolVersion::TLSv1_3, ProtocolVersion::TLSv1_2, ProtocolVersion::TLSv1_2]);
}

async fn start(ca: &CityCa, versions: Versions) -> SocketAddr {
    let dir = tempfile::tempdir().expect("temp dir");
    let identity = ca.issue_server(dir.path(), &[]).expect("issued");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(identity.chain, identity.key)
        .expect("a certificate");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, config.clone(), versions.clone()));
        }
    });
    address
}

async fn serve(stream: TcpStream, config: Arc<ServerConfig>, versions: Versions) -> std::io::Result<()> {
    let mut plain = BufReader::new(stream);
    plain.write_all(b"220 strict\r\n").await?;
    plain.read_line(&mut String::new()).await?;
    plain.write_all(b"234 go on\r\n").await?;
    let tls = TlsAcceptor::from(config.clone()).accept(plain.into_inner()).await?;
    let version = tls.get_ref().1.protocol_version().expect("agreed");
    versions.lock().expect("not poisoned").push(version);
    let (mut control, mut port) = (BufReader::new(tls), None);
    loop {
        let mut line = String::new();
        if control.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.split_whitespace().next().unwrap_or_default();
        let reply = match verb {
            "USER" => "331 ?".to_owned(),
            "PASS" => "230 in".to_owned(),
            "FEAT" => "211-Features\r\n MLST type*;size*;\r\n211 End".to_owned(),
            "EPSV" => {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let number = listener.local_addr()?.port();
                port = Some(listener);
                format!("229 here (|||{number}|)")
            }
            "MLSD" if version == ProtocolVersion::TLSv1_3 => "522 session reuse required".to_owned(),
            "MLSD" => {
                control.write_all(b"150 coming\r\n").await?;
                let (data, _) = port.take().expect("EPSV came first").accept().await?;
                let mut data = TlsAcceptor::from(config.clone()).accept(data).await?;
                data.write_all(b"type=file;size=3; A.zip\r\n").await?;
                data.shutdown().await?;
                // The client closes; its close must not meet an unread byte.
                let _ = data.read(&mut [0; 1]).await;
                "226 done".to_owned()
            }
            _ => "200 ok".to_owned(),
        };
        control.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
}
