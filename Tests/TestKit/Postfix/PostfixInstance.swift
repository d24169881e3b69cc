internal import Foundation
import Synchronization

/// A private Postfix: the machine's own binaries with a configuration, a queue and ports of its own.
///
/// Nothing outside its temporary directory is written. It runs only as root, because Postfix does.
public final class PostfixInstance: Sendable {
    /// What the queue holds for one message, as `postqueue -j` tells it.
    public struct QueuedMessage: Sendable, Decodable {
        /// `active`, `deferred`, `hold`, `incoming` or `maildrop`.
        public let queueName: String
        /// The queue id.
        public let queueID: String
        /// The envelope sender.
        public let sender: String

        private enum CodingKeys: String, CodingKey {
            case queueName = "queue_name"
            case queueID = "queue_id"
            case sender
        }
    }

    /// The configuration that it was made with.
    public let configuration: PostfixConfiguration
    /// The directory that holds all of it.
    public let directory: TemporaryDirectory

    private let ports: [String: UInt16]
    private let master = Mutex<ChildProcess?>(nil)

    /// Makes the directories and the configuration files; nothing runs yet.
    public init(_ configuration: PostfixConfiguration) throws {
        guard getuid() == 0 else {
            throw TestKitError("a private Postfix can be started by root only")
        }
        self.configuration = configuration
        directory = try TemporaryDirectory("signet-postfix")
        let free = try LoopbackPort.free(configuration.listeners.count)
        ports = Dictionary(
            zip(configuration.listeners.map(\.name), free), uniquingKeysWith: { first, _ in first })
        try makeDirectories()
        try writeConfiguration(configuration)
    }

    /// Makes and starts an instance, after `change` has had its say about the configuration.
    public convenience init(_ change: (inout PostfixConfiguration) -> Void) throws {
        var configuration = PostfixConfiguration()
        change(&configuration)
        try self.init(configuration)
        try start()
    }

    deinit { stop() }

    /// The queue directory, which a chrooted smtpd sees as its root.
    public var queueDirectory: String { directory.file("queue") }

    /// The directory of main.cf and master.cf, for `-c`.
    public var configurationDirectory: String { directory.file("etc") }

    /// The absolute path of `signet/NAME.sock`, which main.cf calls `unix:signet/NAME.sock`.
    public func socketPath(_ name: String) -> String {
        "\(queueDirectory)/signet/\(name).sock"
    }

    /// The port of the listener `name`.
    public func port(_ name: String = "smtp") throws -> UInt16 {
        guard let port = ports[name] else { throw TestKitError("no listener called \(name)") }
        return port
    }

    /// A client connected to the listener `name`.
    public func connect(_ name: String = "smtp") throws -> SMTPClient {
        try SMTPClient(port: port(name))
    }

    // MARK: Life

    /// Starts the master process and waits until its listeners answer, and it takes signals.
    public func start() throws {
        let starts = starts
        var command = ["/usr/lib/postfix/sbin/master", "-s", "-c", configurationDirectory]
        if let root = configuration.root { command = root.command(command) }
        let process = try ChildProcess(
            command[0], Array(command.dropFirst()),
            descriptors: [
                .file(directory.file("log/start.log"), as: 1),
                .file(directory.file("log/start.log"), as: 2),
            ])
        master.withLock { $0 = process }
        for port in ports.values {
            _ = try wait(for: "Postfix to listen on \(port)\n\(log)") {
                guard process.end == nil else {
                    throw TestKitError("Postfix ended at start:\n\(startLog)\(log)")
                }
                return try? LoopbackSocket.connect(port: port)
            }
        }
        // It listens before it is ready for signals: a reload before this would end it.
        _ = try wait(for: "Postfix to say that it has started\n\(startLog)", seconds: 20) {
            self.starts > starts ? true : nil
        }
    }

    /// How often the log says that the master process has started.
    private var starts: Int {
        log.split(separator: "\n").count { $0.contains("daemon started") }
    }

    /// Ends all of its processes.
    public func stop() {
        let process = master.withLock { $0.take() }
        process?.stop()
    }

    /// Writes `configuration` in place of the present one and makes Postfix read it.
    ///
    /// Listeners keep their ports; one that was not there at first is not added.
    public func reload(_ configuration: PostfixConfiguration) throws {
        try writeConfiguration(configuration)
        try Command.require("/usr/sbin/postfix", ["-c", configurationDirectory, "reload"])
    }

    // MARK: Mail

    /// Submits `message` with sendmail(1).
    ///
    /// `arguments` follow the program's name, usually `-f SENDER RECIPIENT…`.
    public func sendmail(_ arguments: [String], _ message: [UInt8]) throws {
        try Command.require(
            "/usr/sbin/sendmail", ["-C", configurationDirectory, "-i"] + arguments, input: message)
    }

    /// What the queue holds.
    public func queue() throws -> [QueuedMessage] {
        let text = try Command.require("postqueue", ["-c", configurationDirectory, "-j"])
        return try text.split(separator: "\n").map {
            try JSONDecoder().decode(QueuedMessage.self, from: Data($0.utf8))
        }
    }

    /// Tries every deferred message again at once.
    public func flush() throws {
        try Command.require("postqueue", ["-c", configurationDirectory, "-f"])
    }

    // MARK: Log

    /// The file of Postfix's log.
    public var logFile: String { directory.file("log/mail.log") }

    /// What Postfix has logged.
    public var log: String {
        (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? ""
    }

    /// Waits for a line of the log that contains each of `parts`, and returns it.
    @discardableResult
    public func waitForLogLine(_ parts: String..., seconds: Double = 20) throws -> String {
        try wait(for: "\(parts) in Postfix's log", seconds: seconds) {
            log.split(separator: "\n").first { line in parts.allSatisfy { line.contains($0) } }
                .map(String.init)
        }
    }

    private var startLog: String {
        (try? String(contentsOfFile: directory.file("log/start.log"), encoding: .utf8)) ?? ""
    }

    // MARK: Making

    private func makeDirectories() throws {
        try directory.makeDirectory("etc")
        try directory.makeDirectory("log")
        try directory.makeDirectory("data", mode: 0o700, owner: "postfix")
        try directory.makeDirectory("queue")
        try directory.makeDirectory("queue/pid")
        // As the Debian packages of Signet make it.
        try directory.makeDirectory("queue/signet", mode: 0o750, group: "postfix")
        for name in [
            "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming",
            "private", "saved", "trace",
        ] {
            try directory.makeDirectory("queue/\(name)", mode: 0o700, owner: "postfix")
        }
        try directory.makeDirectory(
            "queue/maildrop", mode: 0o1730, owner: "postfix", group: "postdrop")
        try directory.makeDirectory(
            "queue/public", mode: 0o2710, owner: "postfix", group: "postdrop")
    }

    private func writeConfiguration(_ configuration: PostfixConfiguration) throws {
        try replace("etc/main.cf", with: configuration.mainCF(directory: directory.path))
        try replace("etc/master.cf", with: configuration.masterCF(ports: ports))
    }

    /// Puts a file in its place whole: a program that starts meanwhile reads the old one or the new one.
    private func replace(_ name: String, with text: String) throws {
        let path = try directory.write(text, to: name + ".new")
        // Every Postfix program waits until main.cf is a second old: somebody might be writing it.
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: path)
        guard unsafe rename(path, directory.file(name)) == 0 else {
            throw TestKitError("rename \(path): errno \(errno)")
        }
    }
}
