//! lftp, curl and Python's ftplib as centres have them. Each test's name says how its data connections are bound:
//! `resumed` is the server's default, `same_address` the relaxed mode for clients that cannot resume.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use svod_hub::edges::ftps_server::Binding;
use tokio::process::Command;

use super::city::{A, City, LONG, PASSWORD, config, names};

/// Runs a program to its end; what it printed goes into the failure.
async fn run(command: &mut Command) -> String {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(LONG, command.output()).await.expect("in time");
    let output = output.unwrap_or_else(|e| panic!("{program} must be installed (see .ci/run): {e}"));
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program}: {}\n{text}", output.status);
    text
}

fn same(a: &Path, b: &Path) {
    assert_eq!(
        fs::read(a).expect("there"),
        fs::read(b).expect("there"),
        "{} and {}",
        a.display(),
        b.display()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lftp_resumed() {
    let mut city = City::start().await;
    let source = city.file("source", 600_000);
    fs::copy(&source, city.out("H.zip")).expect("offered");
    let fetched = city.dir.path().join("fetched");
    fs::write(&fetched, &fs::read(&source).expect("there")[..100_000]).expect("half");
    let script = format!(
        "set cmd:fail-exit true; set net:max-retries 1; set net:timeout 10; set ftp:ssl-force true; \
         set ftp:ssl-protect-data true; set ssl:ca-file {ca}; set ssl:check-hostname true; \
         open -u {A},\"{PASSWORD}\" -p {port} localhost; \
         put {source} -o in/a.part; mv in/a.part in/A.zip; put {source} -o in/B.zip; \
         cls out; get -c out/H.zip -o {fetched}; bye",
        ca = city.ca_file().display(),
        port = city.address.port(),
        source = source.display(),
        fetched = fetched.display(),
    );
    let text = run(Command::new("lftp").arg("--norc").arg("-c").arg(script)).await;
    assert!(text.contains("H.zip"), "{text}");
    assert_eq!(city.event().await.name, "A.zip");
    same(&source, &city.inbox("A.zip"));
    same(&source, &city.inbox("B.zip"));
    same(&source, &fetched);
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_resumed() {
    for version in ["--tlsv1.3", "--tls-max=1.2"] {
        let mut city = City::start().await;
        let source = city.file("source", 600_000);
        fs::copy(&source, city.out("H.zip")).expect("offered");
        let base = format!("ftp://localhost:{}", city.address.port());
        let curl = || {
            let mut command = Command::new("curl");
            command.args(["-q", "-sS", "--ssl-reqd", "-4", "--max-time", "15"]);
            match version.split_once('=') {
                Some((flag, value)) => command.args([flag, value]),
                None => command.arg(version),
            };
            command.arg("--cacert").arg(city.ca_file()).arg("-u").arg(format!("{A}:{PASSWORD}"));
            command
        };
        let rename = ["-Q", "-RNFR a.part", "-Q", "-RNTO A.zip"];
        run(curl().arg("-T").arg(&source).args(rename).arg(format!("{base}/in/a.part"))).await;
        same(&source, &city.inbox("A.zip"));
        assert!(run(curl().arg("-l").arg(format!("{base}/out/"))).await.contains("H.zip"));
        let fetched = city.dir.path().join("fetched");
        fs::write(&fetched, &fs::read(&source).expect("there")[..100_000]).expect("half");
        run(curl().args(["-C", "-"]).arg("-o").arg(&fetched).arg(format!("{base}/out/H.zip"))).await;
        same(&source, &fetched);
        assert_eq!(city.event().await.name, "A.zip");
    }
}

/// The part of the Python scripts that both binding modes share.
const SCRIPT: &str = r#"
import ftplib, ssl, sys, io
port, user, password, ca, source, fetched, resume = sys.argv[1:8]

class Resuming(ftplib.FTP_TLS):
    """What the documentation of strict servers tells Python users to do."""
    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        conn = self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session)
        return conn, size

context = ssl.create_default_context(cafile=ca)
ftp = (Resuming if resume == "resumed" else ftplib.FTP_TLS)(context=context, timeout=15)
ftp.connect("localhost", int(port))
ftp.login(user, password)
ftp.prot_p()
with open(source, "rb") as f:
    ftp.storbinary("STOR in/a.part", f)
assert ftp.size("in/a.part") == len(open(source, "rb").read())
ftp.rename("in/a.part", "in/A.zip")
assert ftp.nlst("out") == ["H.zip"], ftp.nlst("out")
assert [name for name, facts in ftp.mlsd("out")] == ["H.zip"]
have = open(fetched, "rb").read()
with open(fetched, "ab") as f:
    ftp.retrbinary("RETR out/H.zip", f.write, rest=len(have))
try:
    ftp.storbinary("STOR out/x.part", io.BytesIO(b"x"))
    sys.exit("out was written")
except ftplib.error_perm as e:
    assert str(e).startswith("553"), e
ftp.quit()
"#;

async fn python(binding: Binding, mode: &str) {
    let mut city = City::with(config(), |account, _| account.binding = binding).await;
    let source = city.file("source", 600_000);
    fs::copy(&source, city.out("H.zip")).expect("offered");
    let fetched = city.dir.path().join("fetched");
    fs::write(&fetched, &fs::read(&source).expect("there")[..100_000]).expect("half");
    let mut command = Command::new("python3");
    command.arg("-c").arg(SCRIPT).arg(city.address.port().to_string()).args([A, PASSWORD]);
    command.arg(city.ca_file()).arg(&source).arg(&fetched).arg(mode);
    run(&mut command).await;
    assert_eq!(city.event().await.name, "A.zip");
    same(&source, &city.inbox("A.zip"));
    same(&source, &fetched);
    assert_eq!(names(&city.home(A).join("in")), ["A.zip"]);
}

/// Python's ftplib as it comes cannot resume: its centre has `binding = same_address`.
#[tokio::test(flavor = "multi_thread")]
async fn python_ftplib_same_address() {
    python(Binding::SameAddress, "plain").await;
}

/// With the six lines that its documentation's readers know, it can.
#[tokio::test(flavor = "multi_thread")]
async fn python_ftplib_resumed() {
    python(Binding::ResumedSession, "resumed").await;
}
