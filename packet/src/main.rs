//! The `svod-packet` program: everything is in `run`.
fn main() -> std::process::ExitCode {
    svod_packet::run(std::env::args_os())
}
