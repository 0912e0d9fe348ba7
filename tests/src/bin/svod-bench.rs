//! The `svod-bench` program: everything is in `svod_tests::bench`.
fn main() -> std::process::ExitCode {
    svod_tests::bench::run(std::env::args_os())
}
