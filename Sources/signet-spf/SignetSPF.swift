import Configuration
import DaemonKit
import DaemonResolver
import Glibc
import UnboundDNS

/// The SPF policy server.
@main
enum SignetSPF: DaemonProgram {
    static let description = DaemonDescription(
        shortName: "spf", version: Version.current,
        summary: "checks SPF for Postfix, as a policy service",
        directives: Directives.all, extraOptions: [.configurationAsOperand, .standardIO])

    static func load(_ reader: ConfigurationReader) -> SPFConfiguration? {
        SPFConfiguration(reading: reader)
    }

    static func serve(_ context: DaemonContext<SPFConfiguration>) -> ExitCode {
        guard let services = services(context.settings, context.log) else { return .configuration }
        guard let server = PolicyServer(services) else {
            context.log.error("there are no file descriptors left")
            return .systemError
        }
        context.onStop { server.requestStop() }
        switch context.endpoint {
        case .listener(let listener):
            return server.serve(listener)
        case .standardIO:
            server.serveStandardIO()
            return .ok
        }
    }

    static func evaluate(
        files: [String], settings: SPFConfiguration, verbosity: Int, log: Log
    ) -> ExitCode {
        guard let services = services(Snapshot(settings), log) else { return .configuration }
        return files.map { RequestFile(path: $0).answer(services) }.first { $0 != .ok } ?? .ok
    }

    /// Puts together what all sessions share; nil, with a line in the log, where the resolver cannot start.
    private static func services(
        _ settings: Snapshot<SPFConfiguration>, _ log: Log
    ) -> Services? {
        do throws(UnboundResolver.SetupError) {
            let resolver = try UnboundResolver(settings.current.resolver.options)
            return Services(configuration: settings, resolver: resolver, log: log)
        } catch {
            log.error("the resolver cannot start: \(error)")
            return nil
        }
    }
}
