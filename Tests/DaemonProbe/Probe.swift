import Configuration
import DaemonKit
import Glibc
import Synchronization
import Threads

/// A daemon that greets everyone who connects and listens until they hang up.
@main
enum Probe: DaemonProgram {
    struct Settings: Sendable {
        let greeting: String
    }

    static let description = DaemonDescription(
        shortName: "probe", version: "1.0", summary: "Greets.",
        directives: [
            DirectiveSpec("Greeting", .text, default: "hello", "What to say"),
            DirectiveSpec("KeyFile", .path, "A key that nobody uses"),
            DirectiveSpec("RequireSafeKeys", .boolean, default: "yes", "Whether keys must be safe"),
            DirectiveSpec("InternalHosts", .dataSet, default: "127.0.0.1", "A set of clients"),
        ],
        extraOptions: [.configurationAsC, .configurationAsOperand, .standardIO])

    static func load(_ reader: ConfigurationReader) -> Settings? {
        if let path = reader.text("KeyFile") {
            let place = reader.location(of: "KeyFile") ?? SourceLocation(file: reader.file)
            _ = reader.keyFile(
                path, requireSafe: reader.boolean("RequireSafeKeys"), directive: "KeyFile",
                at: place)
        }
        _ = reader.peerSet("InternalHosts")
        return reader.text("Greeting").map(Settings.init)
    }

    static func serve(_ context: DaemonContext<Settings>) -> ExitCode {
        switch context.endpoint {
        case .standardIO:
            converse(input: 0, output: 1, context)
        case .listener(let listener):
            accept(on: listener, context)
        }
        return .ok
    }

    static func evaluate(
        files: [String], settings: Settings, verbosity: Int, log: Log
    ) -> ExitCode {
        for file in files { log.info("evaluated", "\(file): \(settings.greeting)") }
        return .dataError
    }

    private static func accept(on listener: Int32, _ context: DaemonContext<Settings>) {
        let clients = Counter()
        while !context.isStopping {
            var descriptor = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&descriptor, 1, 20) == 1 else { continue }
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { continue }
            clients.count.add(1, ordering: .relaxed)
            startThread {
                converse(input: client, output: client, context)
                close(client)
                clients.count.subtract(1, ordering: .releasing)
            }
        }
        while clients.count.load(ordering: .acquiring) > 0 { usleep(10_000) }
    }

    private static func converse(input: Int32, output: Int32, _ context: DaemonContext<Settings>) {
        let identity = "\(getuid()):\(getgid())"
        let greeting = Array("\(context.settings.current.greeting) \(identity)\n".utf8)
        _ = unsafe write(output, greeting, greeting.count)
        context.log.info("4XyZ", "greeted a client")
        var byte: UInt8 = 0
        while unsafe read(input, &byte, 1) > 0 {}
    }

    private final class Counter: Sendable {
        let count = Atomic(0)
    }
}
