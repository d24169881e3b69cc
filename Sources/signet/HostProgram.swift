import Foundation
import Glibc
import Threads

/// Runs programs of the host, each with a time limit.
enum HostProgram {
    private struct State: Sendable {
        var octets: [UInt8] = []
        var isRead = false
        var hasEnded = false
    }

    /// How much of what a program writes is kept, in octets; the rest is read and forgotten.
    static let limit = 1 << 20
    /// The most octets of input: PIPE_BUF, which every pipe takes without anybody reading (pipe(7)).
    private static let shortInput = 4_096
    /// How long output may come after the end, in seconds: a child that was left behind may hold it open.
    private static let lateness = 1.0

    /// Runs a program to its end; one that takes too long is killed.
    ///
    /// - Parameters:
    ///   - command: the program's path, then its arguments.
    ///   - seconds: how long it may take.
    ///   - keepsErrors: whether what it writes to standard error is kept, too.
    ///   - environment: what is set in its environment besides.
    ///   - input: what it reads from standard input; nothing by default. It is short, as a pipe holds it.
    ///   - limit: how much of what it writes is kept, in octets.
    /// - Returns: its status and what it wrote; nil where it cannot be run or did not end.
    static func run(
        _ command: [String], seconds: Double, keepsErrors: Bool = true,
        environment: [String: String] = [:], input: [UInt8]? = nil, limit: Int = limit
    ) -> (status: Int32, text: String)? {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        if !environment.isEmpty {
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        }
        var source: Pipe?
        if let input {
            let made = Pipe()
            guard input.count <= shortInput,
                (try? made.fileHandleForWriting.write(contentsOf: Data(input))) != nil,
                (try? made.fileHandleForWriting.close()) != nil
            else { return nil }
            source = made
        }
        process.standardInput = source ?? FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = keepsErrors ? pipe : FileHandle.nullDevice
        let state = Monitor(State())
        process.terminationHandler = { _ in state.update { $0.hasEnded = true } }
        do { try process.run() } catch { return nil }
        let reading = pipe.fileHandleForReading
        let isHeard = startThread {
            while let piece = try? reading.read(upToCount: 1 << 16), !piece.isEmpty {
                state.update { $0.octets += piece.prefix(max(0, limit - $0.octets.count)) }
            }
            state.update { $0.isRead = true }
        }
        guard isHeard,
            state.wait(until: .now() + seconds, for: { $0.hasEnded ? true : nil }) != nil
        else {
            kill(process.processIdentifier, SIGKILL)
            return nil
        }
        _ = state.wait(until: .now() + lateness) { $0.isRead ? true : nil }
        let octets = state.withLock { $0.octets }
        return (process.terminationStatus, String(decoding: octets, as: UTF8.self))
    }
}
