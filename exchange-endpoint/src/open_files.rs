//! How many files a process may have open: a hub has four for each connection (socket, three folders).

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises this process's limit of open files to what the system lets it raise it to, and returns what holds then
/// (`None`: none). The usual 1,024 is what programs that use `select(2)` can bear; ours do not.
pub fn raise_limit() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // a system that refuses keeps what it had
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_as_high_as_it_may_be() {
        let allowed = raise_limit();
        assert_eq!(allowed, getrlimit(Resource::Nofile).maximum);
        assert_eq!(raise_limit(), allowed);
    }
}
