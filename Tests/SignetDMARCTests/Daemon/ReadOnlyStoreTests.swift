import Foundation
import TestKit
import Testing

/// A report store that signet-dmarc may read and not write, as after a mistake of an administrator's.
@Suite struct ReadOnlyStoreTests {
    /// What is read-only: by a mount of the daemon's own, as root may write any file.
    enum Place: String, CaseIterable {
        case file, folder

        /// A command that becomes another one, for which the place is read-only.
        func wrapper(_ directory: String) -> [String] {
            let path = self == .file ? "\(directory)/reports.db" : directory
            let mounts = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\""
            return [
                "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
                "\(mounts) && exec \"$@\"", path,
            ]
        }
    }

    @Test(
        .enabled(if: getuid() == 0, "only root may mount"), .timeLimit(.minutes(5)),
        arguments: Place.allCases)
    func `mail is answered at once, evaluations wait where they can, and the log says so`(
        _ place: Place
    ) throws {
        let store = try TemporaryDirectory("signet-read-only")
        let path = store.file("reports.db")
        let line = "ReportStore \(path)"
        // A store that was in use.
        do {
            let daemon = try RunningDaemon(line)
            #expect(try daemon.dmarc(.from("ceo@victim.example")) == "fail")
            _ = try daemon.process.stop()
        }
        let before = try Command.require("sqlite3", [path, "SELECT sum(messages) FROM evaluation"])
        #expect(before == "1\n")
        do {
            let daemon = try RunningDaemon(line, wrapper: place.wrapper(store.path))
            for _ in 0..<20 {
                let start = ContinuousClock.now
                #expect(try daemon.dmarc(.from("ceo@victim.example")) == "fail")
                #expect(ContinuousClock.now - start < .seconds(30))
            }
            try daemon.process.waitForLogLine("ReportStore: evaluations cannot be recorded: ")
            _ = try daemon.process.stop()
        }
        let waiting = "\(path).waiting"
        #expect(FileManager.default.fileExists(atPath: waiting) == (place == .file))
        // Once it can be written, what has waited is written too.
        let daemon = try RunningDaemon(line)
        #expect(try daemon.dmarc(.from("ceo@victim.example")) == "fail")
        _ = try daemon.process.stop()
        let after = try Command.require("sqlite3", [path, "SELECT sum(messages) FROM evaluation"])
        #expect(after == (place == .file ? "22\n" : "2\n"))
        #expect(!FileManager.default.fileExists(atPath: waiting))
    }
}
