//! The `svod-sim` program: everything is in `svod_tests::simulation`.
fn main() -> std::process::ExitCode {
    svod_tests::simulation::run(std::env::args_os())
}
