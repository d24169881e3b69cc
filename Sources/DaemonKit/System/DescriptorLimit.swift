import Glibc

/// How many files and sockets the process may have open (RLIMIT_NOFILE).
enum DescriptorLimit {
    /// Raises the limit as far as the system lets the process.
    ///
    /// The usual soft limit of 1,024 is for programs that use select(2); none of ours does, and
    /// busy mail servers open more connections.
    static func raise() {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else {
            return
        }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(resource, &limit)
    }
}
