import Configuration
import ConnectionServer
import DaemonKit
import DaemonResolver
import FlightRecord
import Glibc
import Observation
import UnboundDNS

/// The SPF policy server.
@main
enum SignetSPF: DaemonProgram {
    static let description = DaemonDescription(
        shortName: "spf", version: Version.current,
        summary: "Checks SPF for Postfix, as a policy service.",
        directives: Directives.all, tolerance: Directives.tolerance,
        extraOptions: [.configurationAsOperand, .standardIO, .replay])

    static func load(_ reader: ConfigurationReader) -> SPFConfiguration? {
        SPFConfiguration(reading: reader)
    }

    static func summary(of settings: SPFConfiguration) -> String {
        if settings.isMock { return "answering DUNNO to every question (Mock)" }
        return settings.shared.policy.isTest
            ? "checking SPF; refusing nothing (TestOnly)" : "checking SPF"
    }

    static func serve(_ context: DaemonContext<SPFConfiguration>) -> ExitCode {
        let observer = Observer(
            context.settings.current.observation, daemon: .spf, log: context.log)
        defer { observer.close() }
        context.onReload { observer.reloaded($0) }
        guard let services = services(context.settings, context.log, observer) else {
            return .configuration
        }
        switch context.endpoint {
        case .listener(let listener):
            return serve(listener, services, context)
        case .standardIO:
            let client = StandardIO(services)
            context.onStop { client.requestStop() }
            return client.serve()
        }
    }

    private static func serve(
        _ listener: Int32, _ services: Services, _ context: DaemonContext<SPFConfiguration>
    ) -> ExitCode {
        let log = context.log
        do throws(ConnectionServer.SetupError) {
            let server = try ConnectionServer(
                listening: [listener], othersListen: context.othersListen, limits: .policy,
                onProblem: { log.warning($0) }, handler: { PolicyConnection(services) })
            context.onStop { server.drain() }
            server.run()
            return .ok
        } catch {
            log.error("the server cannot start: \(SystemError(error.code))")
            return .systemError
        }
    }

    static func replay(_ input: [UInt8], settings: SPFConfiguration, log: Log) -> [UInt8]? {
        // Started for the first entry that asks for the DNS of today.
        var today: UnboundResolver?
        return EntryReplay.entries(of: input, daemon: .spf) { occasion in
            if occasion.asksAgain, today == nil {
                today = try? UnboundResolver(settings.resolver.options) { _ in }
            }
            PolicyReplay.answer(occasion, settings, today: today)
            return []
        }
    }

    static func evaluate(
        files: [String], settings: SPFConfiguration, verbosity: Int, log: Log
    ) -> ExitCode {
        guard let services = services(Snapshot(settings), log) else { return .configuration }
        return files.map { RequestFile(path: $0).answer(services) }.first { $0 != .ok } ?? .ok
    }

    /// Puts together what all sessions share; nil, with a line in the log, where the resolver cannot
    /// start.
    private static func services(
        _ settings: Snapshot<SPFConfiguration>, _ log: Log, _ observer: Observer = .silent
    ) -> Services? {
        do throws(UnboundResolver.SetupError) {
            let resolver = try UnboundResolver(settings.current.resolver.options) { state in
                if case .down = state { log.warning("\(state)") } else { log.notice("\(state)") }
            }
            return Services(
                configuration: settings, resolver: resolver, log: log, observer: observer)
        } catch {
            log.error("the resolver cannot start: \(error)")
            return nil
        }
    }
}
