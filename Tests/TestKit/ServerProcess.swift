public import Foundation
internal import Glibc

/// A program of this package that runs as a child of the test, and what it writes.
///
/// The child ends with this object: it is told to through its standard input, which closes, and by
/// signal.
public final class ServerProcess: @unchecked Sendable {
    // All mutable state is behind `condition`.
    private let process: ChildProcess
    private let input: FileHandle
    private let condition = NSCondition()
    private var received: [String] = []
    private var hasEnded = false

    /// Thrown when an expected line does not come.
    public struct NoSuchLine: Error {
        /// What the program did write.
        public let lines: [String]
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - product: The name of an executable product of this package.
    ///   - arguments: Its arguments.
    /// - Throws: `TestKitError` if it cannot be started.
    public init(_ product: String, _ arguments: [String]) throws {
        let (input, output) = (try PrivatePipe(), try PrivatePipe())
        self.input = input.writing
        let theirs = (input.reading.fileDescriptor, output.writing.fileDescriptor)
        process = try ChildProcess(
            Self.products.appendingPathComponent(product).path, arguments,
            descriptors: [
                .init(theirs.0, as: 0), .init(theirs.1, as: 1), .init(theirs.1, as: 2),
            ])
        try input.reading.close()
        try output.writing.close()
        let handle = output.reading
        Thread.detachNewThread { [weak self] in
            var rest = Data()
            while case let data = handle.availableData, !data.isEmpty {
                rest += data
                var lines = rest.split(separator: 10, omittingEmptySubsequences: false)
                rest = lines.popLast().map { Data($0) } ?? Data()
                self?.take(lines.map { String(decoding: $0, as: UTF8.self) })
            }
            self?.take(nil)
        }
    }

    deinit {
        try? input.close()
        process.send(SIGTERM)
    }

    /// The directory of the package's products: the one that holds the test bundle.
    public static var products: URL {
        let executable = CommandLine.arguments[0]
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? executable
        return URL(fileURLWithPath: bundle).deletingLastPathComponent()
    }

    private func take(_ lines: [String]?) {
        condition.lock()
        defer { condition.unlock() }
        if let lines { received += lines } else { hasEnded = true }
        condition.broadcast()
    }

    /// All lines so far.
    public var lines: [String] {
        condition.lock()
        defer { condition.unlock() }
        return received
    }

    /// The number of the process.
    public var identifier: Int32 { process.pid }

    /// Whether the program still runs.
    public var isRunning: Bool { process.end == nil }

    /// Waits until the lines so far satisfy a condition.
    ///
    /// - Parameters:
    ///   - seconds: How long to wait.
    ///   - satisfy: The condition.
    /// - Returns: All lines so far.
    /// - Throws: `NoSuchLine`.
    @discardableResult
    public func wait(
        _ seconds: Double = 10, until satisfy: ([String]) -> Bool
    ) throws -> [String] {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while !satisfy(received) {
            guard !hasEnded, condition.wait(until: deadline) else {
                if satisfy(received) { break }
                throw NoSuchLine(lines: received)
            }
        }
        return received
    }

    /// Waits for a line that begins so, and returns it.
    ///
    /// - Parameters:
    ///   - prefix: The line's beginning.
    ///   - seconds: How long to wait.
    /// - Returns: The first such line.
    /// - Throws: `NoSuchLine`.
    public func line(_ prefix: String, within seconds: Double = 10) throws -> String {
        try wait(seconds) { $0.contains { $0.hasPrefix(prefix) } }
            .first { $0.hasPrefix(prefix) } ?? ""
    }

    /// Writes a line to the program's standard input.
    ///
    /// - Parameter line: The line, without its end.
    public func tell(_ line: String) {
        try? input.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Waits for the program's end.
    ///
    /// - Returns: Its exit status; the number of the signal if one ended it.
    /// - Throws: `TestKitError` if it does not end within two minutes.
    public func waitForExit() throws -> Int32 {
        switch try process.waitForEnd(seconds: 120) {
        case .exited(let status): status
        case .signalled(let signal): signal
        }
    }
}
