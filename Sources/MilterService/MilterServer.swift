public import Configuration
internal import ConnectionServer
internal import DaemonKit
internal import Glibc
internal import LibmilterTransport
public import Milter

/// Why a milter could not be served.
public struct MilterServerError: Error, Sendable, CustomStringConvertible {
    /// The reason in words.
    public let description: String
}

/// Serves a filter on a listening socket, natively or through libmilter.
///
/// A native server has no state outside of itself: a process may have several.
public final class MilterServer: Sendable {
    /// How to serve.
    public struct Options: Sendable {
        /// The filter's name in libmilter's messages.
        public var name: String
        /// What speaks the protocol.
        public var transport: MilterTransport
        /// Seconds without a word from the MTA after which a connection is closed.
        public var timeout: Int32
        /// Seconds that SMTP sessions get to finish in when draining; Postfix waits for a new
        /// connection to be answered for 30.
        public var drainLimit: Int
        /// Whether another process, such as systemd, holds the listening socket too and sees to
        /// those who connect while this one drains.
        public var othersListen = false
        /// Takes a line for each refused connection and each fault; called from any thread.
        public var onProblem: @Sendable (String) -> Void

        /// Chooses how to serve.
        ///
        /// - Parameters:
        ///   - name: The filter's name in libmilter's messages.
        ///   - transport: What speaks the protocol.
        ///   - timeout: Seconds without a word from the MTA after which a connection is closed.
        ///   - drainLimit: Seconds that SMTP sessions get to finish in when draining.
        ///   - onProblem: Takes a line for each refused connection and each fault.
        public init(
            name: String, transport: MilterTransport = .native, timeout: Int32 = 7210,
            drainLimit: Int = 20, onProblem: @escaping @Sendable (String) -> Void
        ) {
            self.name = name
            self.transport = transport
            self.timeout = timeout
            self.drainLimit = drainLimit
            self.onProblem = onProblem
        }
    }

    private enum Server: Sendable {
        case native(ConnectionServer)
        case libmilter
    }

    private let listener: Int32
    private let options: Options
    private let service: MilterService
    private let server: Server

    /// Prepares to serve; nothing is accepted before `run`.
    ///
    /// - Parameters:
    ///   - listener: A listening socket, unix or internet.
    ///   - options: How to serve.
    ///   - filter: Gives the filter for a connection that begins, so that what it needs may change
    ///     while the process runs.
    /// - Throws: `MilterServerError` where the system refuses what a server needs.
    public init<Filter: MilterFilter>(
        listening listener: Int32, options: Options, filter: @escaping @Sendable () -> Filter
    ) throws(MilterServerError) {
        self.listener = listener
        self.options = options
        let (onProblem, policyClients) = (options.onProblem, RateLimit(seconds: 60))
        let service = MilterService(
            filter: filter, isOverTCP: Self.isTCP(listener), onProblem: onProblem
        ) {
            guard policyClients.allows() else { return }
            onProblem(
                "a client speaks the policy protocol, and this is a milter; write it in "
                    + "smtpd_milters, not check_policy_service")
        }
        self.service = service
        switch options.transport {
        case .libmilter:
            server = .libmilter
        case .native:
            var limits = ConnectionLimits()
            limits.busySeconds = Double(options.timeout)
            limits.idleSeconds = Double(options.timeout)
            limits.drainSeconds = Double(options.drainLimit)
            do throws(ConnectionServer.SetupError) {
                server = .native(
                    try ConnectionServer(
                        listening: [listener], othersListen: options.othersListen, limits: limits,
                        onProblem: options.onProblem
                    ) { MilterHandler(service) })
            } catch {
                throw MilterServerError(description: "no server: \(SystemError(error.code))")
            }
        }
    }

    /// The connections that are open; nil where libmilter does not tell.
    public var connectionCount: Int? {
        if case .native(let server) = server { server.connectionCount } else { nil }
    }

    /// Serves until `drain` is called; to be called once.
    ///
    /// - Throws: `MilterServerError` if libmilter cannot begin, or gives up.
    public func run() throws(MilterServerError) {
        switch server {
        case .native(let server):
            server.run()
        case .libmilter:
            do throws(LibmilterError) {
                try LibmilterServer.run(
                    service, listening: listener, name: options.name, timeout: options.timeout)
            } catch {
                throw MilterServerError(description: "libmilter: \(error)")
            }
        }
    }

    /// Stops accepting and makes `run` return: when the last SMTP session has ended or the limit
    /// has passed, or with libmilter within some seconds.
    ///
    /// May be called from any thread, at any time, more than once.
    public func drain() {
        switch server {
        case .native(let server): server.drain()
        case .libmilter: LibmilterServer.stop()
        }
    }

    /// Whether a listening socket is one of the internet's.
    private static func isTCP(_ listener: Int32) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isKnown = unsafe withUnsafeMutablePointer(to: &address) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(listener, $0, &length) == 0
            }
        }
        return isKnown && Int32(address.ss_family) != AF_UNIX
    }
}
