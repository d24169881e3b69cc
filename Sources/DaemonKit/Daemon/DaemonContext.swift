internal import Threads

/// What the common driver hands to a daemon that is to serve.
public final class DaemonContext<Settings: Sendable>: Sendable {
    /// Where clients are.
    public enum Endpoint: Hashable, Sendable {
        /// They connect to this listening socket.
        case listener(Int32)
        /// There is one, on standard input and output.
        case standardIO
    }

    /// What the configuration says; a reload replaces it.
    public let settings: Snapshot<Settings>
    /// Where to say what happens.
    public let log: Log
    /// Where clients are.
    public let endpoint: Endpoint
    /// Whether another process may hold the listening socket too, as systemd does.
    public let othersListen: Bool
    private let stopping = Locked(Stopping())

    private struct Stopping {
        var isRequested = false
        var handler: (@Sendable () -> Void)?
        var reloadHandler: (@Sendable (Bool) -> Void)?
    }

    init(settings: Settings, log: Log, endpoint: Endpoint, othersListen: Bool = false) {
        self.settings = Snapshot(settings)
        self.log = log
        self.endpoint = endpoint
        self.othersListen = othersListen
    }

    /// Whether the daemon was asked to stop.
    public var isStopping: Bool {
        stopping.withLock { $0.isRequested }
    }

    /// Says how to stop: accept no more, and let `serve` return once the last clients are done.
    ///
    /// Called once, from another thread; at once when the daemon was already asked to stop.
    public func onStop(_ handler: @escaping @Sendable () -> Void) {
        let runsNow = stopping.withLock { state in
            if !state.isRequested { state.handler = handler }
            return state.isRequested
        }
        if runsNow { handler() }
    }

    /// Has a function called after every reading of the configuration, with whether it is used.
    public func onReload(_ handler: @escaping @Sendable (Bool) -> Void) {
        stopping.withLock { $0.reloadHandler = handler }
    }

    func reloaded(_ isUsed: Bool) {
        let handler = stopping.withLock { $0.reloadHandler }
        handler?(isUsed)
    }

    func stop() {
        let handler = stopping.withLock { state in
            state.isRequested = true
            defer { state.handler = nil }
            return state.handler
        }
        handler?()
    }
}
