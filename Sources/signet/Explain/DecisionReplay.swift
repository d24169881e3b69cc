import Configuration
import DaemonKit
import Explanation
import FlightRecord
import Foundation
import Glibc
import Replay
import Threads

/// Has the daemons take the decisions of a record again: each with its own engines, in a process of
/// its own that serves nobody.
struct DecisionReplay {
    /// The directory of the present configuration.
    let directory: String
    /// Another configuration: a file, or a directory with a file for each daemon.
    let other: String?
    /// Whether the DNS of today is asked.
    let asksAgain: Bool

    /// The decisions of some entries, beside those of now, in the order of the entries.
    func decisions(_ entries: [FlightEntry]) throws -> [RepeatedDecision] {
        let daemons = FlightDaemon.allCases.filter { daemon in
            entries.contains { $0.daemon == daemon }
        }
        let others = try configurations(of: daemons)
        var found: [RepeatedDecision] = []
        var refusals: [CommandFailure] = []
        var isOtherUsed = false
        let isDirectory = Set(others.values).count > 1
        // signet-spf takes names that it does not know for those of another release, so it comes last.
        for daemon in [FlightDaemon.dmarc, .dkim, .scrub, .spf] where daemons.contains(daemon) {
            let own = entries.filter { $0.daemon == daemon }
            let usual = "\(directory)/\(daemon.shortName).conf"
            if let file = others[daemon], !isOtherUsed || isDirectory {
                do {
                    found += try run(daemon, own, file)
                    isOtherUsed = true
                    continue
                } catch let failure as CommandFailure where others.count > 1 {
                    // Whose it is, its name does not tell: another daemon may know it.
                    refusals.append(failure)
                }
            }
            found += try run(daemon, own, usual)
        }
        if !isOtherUsed, let refusal = refusals.first { throw refusal }
        if let other, !isOtherUsed, !found.isEmpty {
            throw CommandFailure(
                .usage, "\(other) is the configuration of no daemon that has a record of this")
        }
        return found.sorted { $0.then.time < $1.then.time }
    }

    /// The other configuration of each daemon that may have one: by the file's name, where that tells.
    private func configurations(of daemons: [FlightDaemon]) throws -> [FlightDaemon: String] {
        guard let other else { return [:] }
        var isDirectory: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: other, isDirectory: &isDirectory) else {
            throw CommandFailure(.noInput, "\(other) cannot be read")
        }
        var files: [FlightDaemon: String] = [:]
        let name = other.split(separator: "/").last ?? ""
        let named = FlightDaemon.allCases.filter { name.contains($0.shortName) }
        for daemon in daemons {
            let inside = "\(other)/\(daemon.shortName).conf"
            if isDirectory.boolValue {
                if FileManager.default.fileExists(atPath: inside) { files[daemon] = inside }
            } else if named.isEmpty || named.contains(daemon) {
                files[daemon] = other
            }
        }
        return files
    }

    private func run(
        _ daemon: FlightDaemon, _ entries: [FlightEntry], _ file: String
    ) throws -> [RepeatedDecision] {
        var input: [UInt8] = []
        var obstacles: [String?] = []
        for entry in entries {
            let (prepared, obstacle) = prepare(entry)
            FlightStream.append(prepared, to: &input)
            obstacles.append(obstacle)
        }
        let output = try Self.output(of: daemon, file, input)
        let now = FlightStream.entries(in: output)
        guard now.count == entries.count else {
            throw CommandFailure(.software, "\(daemon.name) has not decided about every message")
        }
        return entries.indices.map { index in
            RepeatedDecision(
                then: entries[index], now: now[index], configuration: file,
                obstacle: obstacles[index])
        }
    }

    /// The entry as the daemon is to have it, and what keeps it from being decided about.
    private func prepare(_ entry: FlightEntry) -> (FlightEntry, obstacle: String?) {
        var prepared = FlightEntry(entry.daemon, time: entry.time)
        guard var facts = RecordedFacts(entry.all(.evidence)) else {
            return (
                prepared,
                "the record has no facts for that; only FlightRecordPrivacy full keeps them"
            )
        }
        if let omission = facts.omission { return (prepared, omission) }
        if asksAgain { (facts.asksAgain, facts.questions) = (true, []) }
        _ = prepared.add(evidence: facts.lines)
        return (prepared, nil)
    }

    // MARK: The daemon

    private static func output(
        of daemon: FlightDaemon, _ file: String, _ input: [UInt8]
    ) throws -> [UInt8] {
        guard let program = path(of: daemon) else {
            throw CommandFailure(
                .unavailable, "\(daemon.name) is not installed here; only it can decide again")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["-x", file, "--replay"]
        let (standardInput, output, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = errors
        do {
            // A daemon that refuses its configuration does not read.
            signal(SIGPIPE, SIG_IGN)
            try process.run()
        } catch {
            throw CommandFailure(.unavailable, "\(program) cannot be started")
        }
        // What it says about its configuration may be more than a pipe holds.
        let said = Monitor<Data?>(nil)
        let isHeard = startThread {
            let lines = try? errors.fileHandleForReading.readToEnd()
            said.update { $0 = lines ?? Data() }
        }
        guard isHeard else {
            process.terminate()
            throw CommandFailure(.unavailable, "there is no thread to read what \(program) says")
        }
        // It reads all of its input before it writes an entry.
        try? standardInput.fileHandleForWriting.write(contentsOf: Data(input))
        try? standardInput.fileHandleForWriting.close()
        let octets = (try? output.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        let lines = said.wait(until: .distantFuture) { $0 } ?? Data()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            let text = String(decoding: lines, as: UTF8.self)
                .split(separator: "\n").map { LogText.safe(String($0), limit: 500) }
            throw CommandFailure(
                .configuration,
                (["\(daemon.name) cannot decide under \(file)"] + text).joined(separator: "\n"))
        }
        return Array(octets)
    }

    /// The daemon's program: beside this one, or where the package puts it.
    private static func path(of daemon: FlightDaemon) -> String? {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = own.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        return ["\(beside)/\(daemon.name)", "/usr/sbin/\(daemon.name)"].first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }
}
