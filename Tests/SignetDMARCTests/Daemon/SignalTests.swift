import Foundation
import Glibc
import TestKit
import Testing

/// Signals that come faster than they are answered.
@Suite(.serialized) struct SignalTests {
    /// libmilter has a thread that takes HUP for the wish to stop, and stops seconds later.
    @Test func `however fast reloads come, no thread but ours takes the signal`() throws {
        let daemon = try RunningDaemon()
        // libmilter's threads are there once it has served somebody.
        try daemon.mta.connect().quit()
        for _ in 0..<20 { daemon.process.send(SIGHUP) }
        try daemon.process.waitForLogLine("is reloaded")
        let _: Bool = try wait(for: "one thread that waits for HUP") {
            try threadsOpenToHangUp(of: daemon.process.pid) == 1 ? true : nil
        }
        #expect(try daemon.process.stop() == .exited(0))
    }

    /// How many threads of a process do not block HUP: sigwait(3) opens a thread to what it waits for.
    private func threadsOpenToHangUp(of process: Int32) throws -> Int {
        let tasks = "/proc/\(process)/task"
        return try FileManager.default.contentsOfDirectory(atPath: tasks).count { task in
            let status = try String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("SigBlk:") }
            let mask = try #require(
                UInt64(line?.split(whereSeparator: \.isWhitespace).last ?? "", radix: 16))
            return mask & 1 << UInt64(SIGHUP - 1) == 0
        }
    }
}
