//! The `svod-hub` program: everything is in `run`.
fn main() -> std::process::ExitCode {
    svod_hub::run(std::env::args_os())
}
