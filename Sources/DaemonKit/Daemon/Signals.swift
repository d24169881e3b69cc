import Glibc

/// The signals that a daemon answers to: blocked in every thread, and waited for in one.
struct Signals {
    private var set = sigset_t()

    /// Blocks the signals in this thread and all that it starts; call it before any thread is started.
    static func block() -> Signals {
        // A client that hangs up is an error of write(2), not the end of the daemon.
        _ = signal(SIGPIPE, SIG_IGN)
        var signals = Signals()
        _ = unsafe sigemptyset(&signals.set)
        for number in [SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT] {
            _ = unsafe sigaddset(&signals.set, number)
        }
        _ = unsafe pthread_sigmask(SIG_BLOCK, &signals.set, nil)
        return signals
    }

    /// Waits for the next signal.
    mutating func next() -> Int32 {
        while true {
            let number = unsafe sigwaitinfo(&set, nil)
            if number > 0 { return number }
        }
    }

    /// Ends the process as the signal would have, so that the parent sees what happened.
    mutating func die(of number: Int32) -> Never {
        _ = signal(number, SIG_DFL)
        _ = kill(getpid(), number)
        _ = unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
        _exit(ExitCode.software.rawValue)
    }
}
