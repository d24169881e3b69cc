import Threads

/// What the threads of a server share, behind one lock.
struct ServerState: Sendable {
    enum Phase {
        case serving
        case draining(since: MonotonicTime)
    }

    /// What an event is about.
    enum Subject {
        /// All threads are to end.
        case end
        /// A listening socket, by its place among the server's.
        case listener(Int)
        case connection(Connection)
        /// Nothing that still matters: another thread was quicker, or a drain has begun.
        case nothing
    }

    /// What has to be done so that another thread waits for events.
    enum Successor {
        /// Nothing: one waits already.
        case waits
        /// A thread has to be started; it has been counted.
        case isMissing
        /// There may be no more threads.
        case isNotAllowed
    }

    /// What a thread does after it has served its event.
    enum NextStep {
        /// Wait for an event for as long as it takes.
        case wait
        /// Wait for an event for a moment: enough others wait, and may be at work in the next moment.
        case waitBriefly
        /// There are enough threads that wait.
        case leave
    }

    /// Identifiers below it are those of listening sockets, and of the waking event.
    static let firstConnection: UInt64 = 1 << 32
    /// Threads that wait while nothing happens, at most: more would only be memory.
    private static let mostIdleThreads = 4
    /// Threads that wait at the same time, at most.
    ///
    /// Those that a burst has started are needed for the next one: to end them and to start others
    /// costs more than much of what is done for a message.
    private static let mostWaitingThreads = 32

    /// Connections that no thread has.
    var parked: [UInt64: Connection] = [:]
    /// Connections, those that a thread has and those being accepted included.
    private(set) var connections = 0
    private var nextID = ServerState.firstConnection
    /// Threads that wait for an event, or are about to.
    private var waitingThreads = 0
    private(set) var threads = 0
    /// Threads that accept connections now.
    private(set) var accepting = 0
    /// Listening sockets that are not watched until there is room for a connection.
    var paused: Set<Int> = []
    private var bufferedOctets = 0
    /// Whether `keepTime` looks at the time limits; it sleeps while there is nothing to look at.
    var isTimeKept = false
    var phase = Phase.serving

    var isDraining: Bool {
        if case .draining = phase { true } else { false }
    }

    // MARK: Threads

    /// Counts a thread that is about to be started.
    mutating func addThread() {
        threads += 1
        waitingThreads += 1
    }

    /// Takes back `addThread` when the thread could not be started.
    mutating func threadFailed() {
        threads -= 1
        waitingThreads -= 1
    }

    /// Counts a thread that ends.
    mutating func threadEnds() { threads -= 1 }

    /// Takes what an event is about, for the thread that the event came to.
    mutating func take(_ id: UInt64, mostThreads: Int) -> (Subject, Successor) {
        waitingThreads -= 1
        if id == Poller.wake { return (.end, .waits) }
        let subject: Subject
        if id >= Self.firstConnection {
            subject = parked.removeValue(forKey: id).map(Subject.connection) ?? .nothing
        } else if isDraining {
            subject = .nothing
        } else {
            accepting += 1
            subject = .listener(Int(id) - 1)
        }
        guard waitingThreads == 0 else { return (subject, .waits) }
        guard threads < mostThreads else { return (subject, .isNotAllowed) }
        addThread()
        return (subject, .isMissing)
    }

    /// Decides what the thread does that has served its event.
    mutating func nextStep() -> NextStep {
        guard waitingThreads < Self.mostWaitingThreads else { return .leave }
        waitingThreads += 1
        return waitingThreads > Self.mostIdleThreads ? .waitBriefly : .wait
    }

    /// Decides what a thread does that has waited for a moment, and nothing came.
    mutating func nothingCame() -> NextStep {
        guard waitingThreads > Self.mostIdleThreads else { return .wait }
        waitingThreads -= 1
        return .leave
    }

    // MARK: Connections

    /// Counts a connection that is about to be accepted, and gives its identifier; nil at the limit.
    mutating func reserve(most: Int) -> UInt64? {
        guard connections < most else { return nil }
        connections += 1
        nextID += 1
        return nextID
    }

    /// Takes back `reserve` when nothing was accepted.
    mutating func release() { connections -= 1 }

    /// Ends the accepting that `take` began.
    mutating func acceptingEnds() { accepting -= 1 }

    /// Puts a connection into the table, and its octets on the account.
    ///
    /// - Returns: false, with nothing changed, if there would be more octets than allowed.
    mutating func park(_ connection: Connection, holding octets: Int, mostOctets: Int) -> Bool {
        let growth = octets - connection.accounted
        guard growth <= 0 || bufferedOctets + growth <= mostOctets else { return false }
        connection.accounted = octets
        bufferedOctets += growth
        parked[connection.id] = connection
        if isDraining { connection.retire() }
        return true
    }

    /// Takes a closed connection off the accounts.
    mutating func forget(_ connection: Connection) {
        connections -= 1
        bufferedOctets -= connection.accounted
    }
}
