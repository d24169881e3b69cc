internal import CMilter
internal import Glibc
internal import Synchronization
internal import Threads

/// Why a milter could not be served.
public enum MilterServerError: Error, Sendable, CustomStringConvertible {
    /// libmilter serves one filter in a process, once.
    case alreadyRun
    /// libmilter or the system refused the named step.
    case failed(String)

    /// The reason in words.
    public var description: String {
        switch self {
        case .alreadyRun: "a process can serve one milter only"
        case .failed(let step): "\(step) failed"
        }
    }
}

/// libmilter's server, one for a process.
///
/// The caller blocks the signals it wants for itself before any thread starts: libmilter takes HUP,
/// TERM and INT otherwise. libmilter's own messages, which are rare (a broken offer, a failed
/// accept), go to syslog(3), under the identity that the program has opened it with. A frame over
/// the limit ends its connection without one.
public enum MilterServer {
    /// How to serve.
    public struct Options: Sendable {
        /// The filter's name in libmilter's messages.
        public var name: String
        /// Seconds without a word from the MTA after which a connection is closed.
        public var timeout: Int32
        /// Seconds that live connections get to finish in when draining.
        public var drainLimit: Int
        /// Told of refused connections and of faults, one line each; called from any thread.
        public var onProblem: @Sendable (String) -> Void

        /// Chooses how to serve.
        ///
        /// - Parameters:
        ///   - name: The filter's name in libmilter's messages.
        ///   - timeout: Seconds without a word from the MTA after which a connection is closed.
        ///   - drainLimit: Seconds that live connections get to finish in when draining; Postfix waits for
        ///     a new one to be answered for 30.
        ///   - onProblem: Told of refused connections and of faults, one line each.
        public init(
            name: String, timeout: Int32 = 7210, drainLimit: Int = 20,
            onProblem: @escaping @Sendable (String) -> Void
        ) {
            self.name = name
            self.timeout = timeout
            self.drainLimit = drainLimit
            self.onProblem = onProblem
        }
    }

    /// The longest frame of the MTA that is read, in bytes: libmilter's own limit of 64 kB would
    /// reset connections over one long header field.
    private static let maximumFrame = 1024 * 1024 - 1

    /// How often a second a draining server looks for what is left.
    private static let roundsPerSecond = 100
    /// Seconds that a draining server waits for peers that have connected and not negotiated.
    private static let offerSeconds = 2

    /// Signalled when draining is asked for and when libmilter ends by itself.
    private static let wake = Semaphore()
    private static let isDraining = Atomic<Bool>(false)
    private static let outcome = Atomic<Int>(outcomeRunning)
    private static let outcomeRunning = Int.max
    private static let waker = PoolWaker()
    /// The thread that polls the listener.
    private static let acceptor = Atomic<UInt>(0)

    /// Serves one filter for all connections, as `run(listening:options:filter:)` does.
    public static func run<Filter: MilterFilter>(
        _ filter: Filter, listening listener: Int32, options: Options
    ) throws(MilterServerError) {
        try run(listening: listener, options: options) { filter }
    }

    /// The number of connections being served.
    public static var connectionCount: Int { liveConnections.load(ordering: .acquiring) }

    /// Serves a filter until `drain` is called; the process should then exit.
    ///
    /// libmilter looks for its end only every few seconds. It runs on a thread of its own that is
    /// left behind: once no connection lives there is nothing to wait for.
    ///
    /// - Parameters:
    ///   - listener: A listening socket, unix or internet. A TCP socket should have TCP_NODELAY set,
    ///     which accepted sockets inherit: libmilter writes each reply by itself.
    ///   - options: How to serve.
    ///   - filter: Gives the filter for a connection that begins, so that what it needs may change while
    ///     the process runs; the edits that it may make are those of the first.
    /// - Throws: `MilterServerError` if serving cannot begin, or if libmilter gives up.
    public static func run<Filter: MilterFilter>(
        listening listener: Int32, options: Options, filter: @escaping @Sendable () -> Filter
    ) throws(MilterServerError) {
        let service = Service(
            filter: filter, isOverTCP: PrivateListener.family(of: listener) != AF_UNIX,
            onProblem: options.onProblem)
        let edits = filter().needs.possibleEdits
        let isFirst = registeredService.withLock { registered in
            guard registered == nil else { return false }
            registered = service
            return true
        }
        guard isFirst else { throw .alreadyRun }

        let registered = unsafe options.name.withCString { name in
            // libmilter copies the name and does not write to it.
            let name = unsafe UnsafeMutablePointer(mutating: name)
            return unsafe smfi_register(makeDescription(name: name, edits: edits))
        }
        guard registered == MI_SUCCESS else { throw .failed("smfi_register") }
        guard unsafe milter_set_connection("fd:\(listener)") == MI_SUCCESS else {
            throw .failed("smfi_setconn")
        }
        smfi_settimeout(options.timeout)
        smfi_setmaxdatasize(maximumFrame)

        ReadAhead.begin(on: listener)

        var hasStarted = false
        let isHelped = waker.start(listener: listener, idleLimit: options.timeout) {
            hasStarted = startThread {
                allowInterrupts()
                acceptor.store(UInt(pthread_self()), ordering: .releasing)
                end(with: smfi_main())
            }
        } interrupt: {
            interruptThread(pthread_t(acceptor.load(ordering: .acquiring)))
        }
        guard hasStarted else { throw .failed("pthread_create") }
        if !isHelped {
            options.onProblem("sessions that wait for the DNS may hold up others (no pool waker)")
        }
        if !HeldWrites.isInPlace {
            options.onProblem("a kill may leave a message half-edited (writev is not ours)")
        }
        wake.wait()
        if isDraining.load(ordering: .acquiring) {
            let accepted = AcceptedConnections(of: listener)
            guard closeListener(listener) else { throw .failed("closing the listener") }
            // smfi_stop would only wait for the listener's next look around, up to five seconds.
            awaitConnections(accepted, limit: options.drainLimit)
        } else if outcome.load(ordering: .acquiring) != Int(MI_SUCCESS) {
            throw .failed("smfi_main")
        }
    }

    /// Stops accepting, lets live connections finish, and then makes `run` return.
    ///
    /// May be called from any thread, at any time, more than once.
    public static func drain() {
        isDraining.store(true, ordering: .releasing)
        wake.signal()
    }

    /// Runs a wait for something outside, a DNS answer say, within a session's event.
    ///
    /// All waits longer than a moment belong in here: libmilter's pool of threads has to be told.
    ///
    /// - Parameter wait: The wait.
    /// - Returns: What the wait returns.
    public static func blocking<Result>(_ wait: () -> Result) -> Result {
        waker.enter()
        defer { waker.leave() }
        return wait()
    }

    private static func end(with result: Int32) {
        outcome.store(Int(result), ordering: .releasing)
        wake.signal()
    }

    /// Puts a listener that nobody knows of in the place of the real one.
    ///
    /// libmilter goes on polling its number. Closing it instead would make it abort all sessions.
    private static func closeListener(_ listener: Int32) -> Bool {
        guard let unreachable = PrivateListener(family: AF_UNIX) else { return false }
        return unreachable.replace(listener)
    }

    /// Waits until no connection is left or the limit has passed.
    private static func awaitConnections(_ accepted: AcceptedConnections?, limit seconds: Int) {
        let end = seconds * roundsPerSecond
        var rounds = 0
        // An accept(2) that was under way is not seen at once, and without /proc sessions only.
        var quiet = 0
        while quiet < 5 && rounds < end {
            usleep(1_000_000 / UInt32(roundsPerSecond))
            rounds += 1
            let isWaitingForOffers = rounds <= offerSeconds * roundsPerSecond
            let isBusy =
                connectionCount > 0 || isWaitingForOffers && (accepted?.count() ?? 0) > 0
            quiet = isBusy ? 0 : quiet + 1
        }
    }
}
