internal import Glibc

/// Starts threads, and lets one wait for a file descriptor until it is told to stop.
///
/// It rests on POSIX alone.
enum PumpThread {
    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs a closure on a thread of its own, which takes no signals; false if there is no thread.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let work = unsafe Unmanaged.passRetained(Work(body))
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        unsafe pthread_attr_setstacksize(&attributes, 256 * 1024)
        defer { unsafe pthread_attr_destroy(&attributes) }

        // A new thread inherits the mask, and signals belong to the daemon's own thread for them.
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }

        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                }
                return nil
            }, work.toOpaque())
        if status != 0 { unsafe work.release() }
        return status == 0
    }

    /// Waits until one of the descriptors is readable (true) or the last one is (false); at most so many milliseconds, or
    /// for ever if they are negative.
    static func wait(for descriptors: [Int32], orStop stop: Int32, milliseconds: Int32) -> Bool {
        var polled = (descriptors + [stop]).map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        while unsafe poll(&polled, nfds_t(polled.count), milliseconds) < 0 {
            guard errno == EINTR else { return false }
        }
        return polled[descriptors.count].revents == 0
    }
}

/// A pipe that wakes a thread, or tells it to stop.
struct SignalPipe: ~Copyable, Sendable {
    let reader: Int32
    private let writer: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        // Without descriptors both stay -1, which poll(2) ignores: the thread then never hears of it.
        unsafe pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        reader = ends[0]
        writer = ends[1]
    }

    deinit {
        close(writer)
        close(reader)
    }

    /// Makes the reading end readable, until it is cleared.
    func signal() {
        var octet: UInt8 = 0
        _ = unsafe write(writer, &octet, 1)
    }

    /// Makes the reading end unreadable again.
    func clear() {
        var octets: (UInt64, UInt64) = (0, 0)
        while unsafe read(reader, &octets, 16) == 16 {}
    }
}
