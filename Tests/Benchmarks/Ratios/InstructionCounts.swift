internal import Foundation
internal import TestKit

/// How many instructions of its own a program executes for a message, by callgrind.
///
/// A figure that repeats, whatever else the machine does; the kernel's part is not in it. The programs are started through scripts that put valgrind before them.
struct InstructionCounts {
    private static let programs = [
        "signet-dkim", "signet-dmarc", "signet-scrub", "signet-spf", "SignetNull", "Floor",
    ]

    private let directory: TemporaryDirectory

    /// Has the programs that are started from now on counted.
    ///
    /// - Throws: where valgrind is missing.
    init() throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/valgrind") else {
            throw TestKitError("valgrind is needed")
        }
        directory = try TemporaryDirectory("signet-counts")
        for program in Self.programs {
            // Debian 12's valgrind cannot read the debugging information.
            let path = directory.file("\(program).stripped")
            try Command.require(
                "/usr/bin/strip",
                ["--strip-debug", "-o", path, try DaemonProcess.path(of: program)])
            let script = try directory.write(
                """
                #!/bin/sh
                exec /usr/bin/valgrind -q --tool=callgrind --separate-threads=no \\
                    --callgrind-out-file=\(directory.path)/out.%p '\(path)' "$@"

                """, to: program)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: script)
        }
        _ = unsafe setenv("SIGNET_PRODUCTS", directory.path, 1)
    }

    /// The instructions of each of `count` messages that `work` delivers to a process.
    ///
    /// Callgrind's file stays where `SIGNET_COUNTS` names a directory, for callgrind_annotate(1).
    func each(of count: Int, by pid: Int32, named name: String, _ work: () throws -> Void) throws
        -> Double
    {
        try Command.require("/usr/bin/callgrind_control", ["--zero", "\(pid)"])
        try work()
        try Command.require("/usr/bin/callgrind_control", ["--dump", "\(pid)"])
        let path = directory.file("out.\(pid).1")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        if let kept = ProcessInfo.processInfo.environment["SIGNET_COUNTS"] {
            let file = name.map { $0.isLetter || $0.isNumber ? $0 : "-" }
            try text.write(toFile: "\(kept)/\(String(file))", atomically: true, encoding: .utf8)
        }
        let line = text.split(separator: "\n").last { $0.hasPrefix("totals:") }
        guard let total = line?.split(separator: " ").last.flatMap({ Double($0) }) else {
            throw TestKitError("\(path) has no total")
        }
        return total / Double(count)
    }
}

extension RatioExperiments {
    /// The instructions of each program beside the floor's, on 8 connections that are kept.
    static func instructions(count: Int) throws {
        let counts = try InstructionCounts()
        try Report.table(["instructions a message", "ours", "floor", "ratio"]) {
            let lineup = try Lineup()
            for pair in lineup.pairs {
                let both = try [pair.ours, pair.floor].map { subject in
                    let name = subject.name == "floor" ? "floor of \(pair.name)" : pair.name
                    return try counts.each(of: count, by: subject.meter.pid, named: name) {
                        try Load.deliver(count, to: subject)
                    }
                }
                Report.row(pair.name, both[0], both[1], both[0] / both[1])
            }
            let dns = try NSDServer(PolicyLoad.zone)
            defer { dns.stop() }
            let directory = try TemporaryDirectory("signet-floor")
            let both = try [
                PolicySubject.signet(dns.nameserver, in: directory, connections: 8),
                PolicySubject.floor(in: directory, connections: 8),
            ].map { subject in
                var load = PolicyLoad()
                try load.run(count, on: subject.connections)
                let name = "\(subject.name), a cached SPF question"
                return try counts.each(of: count, by: subject.pids[0], named: name) {
                    try load.run(count, on: subject.connections)
                }
            }
            Report.row("a cached SPF question", both[0], both[1], both[0] / both[1])
        }
    }
}
