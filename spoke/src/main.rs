//! The `svod-spoke` program: everything is in `run`.
fn main() -> std::process::ExitCode {
    svod_spoke::run(std::env::args_os())
}
