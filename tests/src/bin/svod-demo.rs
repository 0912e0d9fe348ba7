//! The `svod-demo` program: everything is in `svod_tests::demo`.
fn main() -> std::process::ExitCode {
    svod_tests::demo::run(std::env::args_os())
}
