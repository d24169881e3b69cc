public import Configuration
public import DaemonKit
public import Milter

extension MilterServer {
    /// Serves a daemon's filter until the daemon is asked to stop.
    ///
    /// - Parameters:
    ///   - context: The daemon's.
    ///   - name: The daemon's name.
    ///   - transport: What speaks the protocol.
    ///   - filter: Gives the filter for a connection that begins.
    /// - Returns: How the daemon ends.
    public static func serve<Settings, Filter: MilterFilter>(
        _ context: DaemonContext<Settings>, name: String, transport: MilterTransport,
        filter: @escaping @Sendable () -> Filter
    ) -> ExitCode {
        guard case .listener(let listener) = context.endpoint else { return .usage }
        let log = context.log
        do throws(MilterServerError) {
            var options = Options(name: name, transport: transport) { log.error($0) }
            options.othersListen = context.othersListen
            let server = try MilterServer(listening: listener, options: options, filter: filter)
            context.onStop { server.drain() }
            try server.run()
            return .ok
        } catch {
            log.error("\(error)")
            return .software
        }
    }
}
