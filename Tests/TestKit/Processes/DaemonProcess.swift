internal import Foundation
import Synchronization

/// One of our own daemons, run beside the tests as systemd would run it.
///
/// It has a configuration file, a notify socket, and a log that is its standard error.
public final class DaemonProcess: Sendable {
    /// The directory with its configuration and log, for keys and tables too.
    public let directory: TemporaryDirectory

    private let process: ChildProcess
    private let notifications: LoopbackSocket
    private let states = Mutex<[String]>([])

    /// Starts the executable product `product` and waits until it says that it is ready.
    ///
    /// `socket` is a listening socket that it gets as systemd's socket activation would give it.
    /// `directory` may hold files that `configuration` names. `wrapper` is a command that becomes the
    /// one behind it, such as `nice`.
    public init(
        _ product: String, configuration: String, arguments: [String] = [],
        socket: LoopbackSocket? = nil, directory: TemporaryDirectory? = nil,
        wrapper: [String] = []
    ) throws {
        let directory = try directory ?? TemporaryDirectory("signet-daemon")
        self.directory = directory
        let path = try directory.write(configuration, to: "\(product).conf")
        let notifyPath = directory.file("notify")
        // A daemon of an earlier test may have left its socket.
        _ = unsafe unlink(notifyPath)
        notifications = try LoopbackSocket.receiveDatagrams(path: notifyPath)

        var environment = ProcessInfo.processInfo.environment
        environment["NOTIFY_SOCKET"] = notifyPath
        var descriptors: [ChildProcess.Descriptor] = [.file(directory.file("log"), as: 2)]
        var command = wrapper + [try Self.path(of: product), "-x", path] + arguments
        if let socket {
            descriptors.append(.init(socket.descriptor, as: 3))
            environment["LISTEN_FDS"] = "1"
            // LISTEN_PID must be the daemon's own number, which it has only after it is started.
            command = ["/bin/sh", "-c", "LISTEN_PID=$$ exec \"$0\" \"$@\""] + command
        }
        process = try ChildProcess(
            command[0], Array(command.dropFirst()), environment: environment,
            descriptors: descriptors)
        try waitForState("READY=1")
    }

    /// The process's number.
    public var pid: Int32 { process.pid }

    /// How it ended, or nil while it runs.
    public var end: ChildProcess.End? { process.end }

    /// What it has logged, line by line.
    public var log: [String] {
        let text = (try? String(contentsOfFile: directory.file("log"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// Sends `signal` to it.
    public func send(_ signal: Int32) { process.send(signal) }

    /// Kills it at once.
    public func kill() { process.kill() }

    /// Asks it to end, as systemd does, and returns how it ended.
    public func stop(seconds: Double = 10) throws -> ChildProcess.End {
        send(SIGTERM)
        return try process.waitForEnd(seconds: seconds)
    }

    /// Waits until it has told its supervisor `state`, such as `READY=1`.
    public func waitForState(_ state: String, seconds: Double = 20) throws {
        let _: Bool = try wait(
            for: "\(state) from the daemon, which logged:\n\(logText)", seconds: seconds
        ) {
            while let datagram = notifications.receive() {
                let told = datagram.split(separator: "\n").map(String.init)
                states.withLock { $0 += told }
            }
            if states.withLock({ $0.contains(state) }) { return true }
            guard process.end == nil else {
                throw TestKitError(
                    "the daemon ended (\(process.end as Any)) and logged:\n\(logText)")
            }
            return nil
        }
    }

    /// Waits for a line of its log that contains each of `parts`, and returns it.
    @discardableResult
    public func waitForLogLine(_ parts: String..., seconds: Double = 10) throws -> String {
        try wait(for: "\(parts) in the daemon's log:\n\(logText)", seconds: seconds) {
            log.first { line in parts.allSatisfy { line.contains($0) } }
        }
    }

    private var logText: String { log.joined(separator: "\n") }

    /// The path of an executable product: of the build that `SIGNET_PRODUCTS` names, where a
    /// sanitizer is built in say, or else of the build that the tests belong to.
    public static func path(of product: String) throws -> String {
        let named = ProcessInfo.processInfo.environment["SIGNET_PRODUCTS"]
        let path = "\(named ?? ServerProcess.products.path)/\(product)"
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw TestKitError("\(path) does not exist; swift build makes it")
        }
        return path
    }
}
