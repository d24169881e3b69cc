internal import CMilter
package import Milter
internal import Threads

/// Why libmilter could not serve.
package enum LibmilterError: Error, Sendable, CustomStringConvertible {
    /// libmilter serves one filter in a process, once.
    case alreadyRun
    /// The named step, which libmilter or the system refused.
    case failed(String)

    /// The reason in words.
    package var description: String {
        switch self {
        case .alreadyRun: "libmilter serves one filter in a process"
        case .failed(let step): "\(step) failed"
        }
    }
}

/// A filter served by libmilter, one in a process.
///
/// libmilter is used as it comes, with all that this means: its pool of threads stalls while sessions
/// wait, a C string ends at its first NUL, each edit is a write of its own, and an end cuts sessions.
/// It waits for HUP, TERM and INT itself and ends at each of them. Its own messages go to syslog(3),
/// under the identity that the program has opened it with. What it reads has passed a `FrameRelay`,
/// as a malformed frame can crash it.
package enum LibmilterServer {
    /// The relay of the process, for `stop`.
    private static let relay = Locked<FrameRelay?>(nil)
    /// The longest data of a frame, in octets: libmilter's own limit of 64 kB would reset connections
    /// over one long header field.
    private static let maximumData = (1 << 20) - 1

    /// Serves a filter until `stop` is called, or a signal ends libmilter; the process should then
    /// exit.
    ///
    /// - Parameters:
    ///   - service: What to serve; the edits that the first filter may make hold for all.
    ///   - listener: A listening socket, unix or internet.
    ///   - name: The filter's name in libmilter's messages.
    ///   - timeout: Seconds without a word from the MTA after which a connection is closed.
    /// - Throws: `LibmilterError` if serving cannot begin, or if libmilter gives up.
    package static func run(
        _ service: MilterService, listening listener: Int32, name: String, timeout: Int32
    ) throws(LibmilterError) {
        let edits = service.filter().needs.possibleEdits
        let isFirst = registeredService.withLock { registered in
            guard registered == nil else { return false }
            registered = service
            return true
        }
        guard isFirst else { throw .alreadyRun }

        let registered = unsafe name.withCString { name in
            // libmilter copies the name and does not write to it.
            let name = unsafe UnsafeMutablePointer(mutating: name)
            return unsafe smfi_register(makeDescription(name: name, edits: edits))
        }
        guard registered == MI_SUCCESS else { throw .failed("smfi_register") }
        let socket = try PrivateSocket()
        guard unsafe milter_set_connection("fd:\(socket.listener)") == MI_SUCCESS else {
            throw .failed("smfi_setconn")
        }
        smfi_settimeout(timeout)
        smfi_setmaxdatasize(maximumData)
        let relay = FrameRelay(listening: listener, target: socket, service: service)
        guard relay.start() else { throw .failed("starting a thread") }
        self.relay.withLock { $0 = relay }
        defer { relay.stop() }
        guard smfi_main() == MI_SUCCESS else { throw .failed("smfi_main") }
    }

    /// Makes `run` return within some seconds; sessions that are under way end.
    ///
    /// May be called from any thread, at any time, more than once.
    package static func stop() {
        relay.withLock { $0 }?.stop()
        _ = smfi_stop()
    }
}
