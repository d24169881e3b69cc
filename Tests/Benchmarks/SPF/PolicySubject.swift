internal import Foundation
internal import Glibc
internal import MailDNS
internal import TestKit

/// A policy server under measurement: its connections, and the processes whose time counts.
final class PolicySubject {
    /// What the table calls it.
    let name: String
    /// Connections that are open.
    let connections: [LoopbackSocket]
    private let processes: [ChildProcess]
    /// The socket of a server that listens on one.
    private let path: String?

    private init(
        _ name: String, _ connections: [LoopbackSocket], _ processes: [ChildProcess],
        path: String? = nil
    ) {
        self.name = name
        self.connections = connections
        self.processes = processes
        self.path = path
    }

    /// Starts a server, waits until it listens, and opens connections.
    private static func listening(
        _ name: String, _ path: String, _ process: ChildProcess, connections: Int
    ) throws -> PolicySubject {
        _ = try wait(for: "\(name) to listen") { try? LoopbackSocket.connect(path: path) }
        return PolicySubject(
            name, try (0..<connections).map { _ in try .connect(path: path) }, [process],
            path: path)
    }

    /// More connections to a server that listens.
    func connect(_ count: Int) throws -> [LoopbackSocket] {
        guard let path else { throw TestKitError("\(name) does not listen") }
        return try (0..<count).map { _ in try .connect(path: path) }
    }

    /// The numbers of its processes.
    var pids: [Int32] { processes.map(\.pid) }

    deinit {
        for process in processes { process.kill() }
    }

    /// User and system time of all its processes, in microseconds.
    var cpuMicroseconds: Double {
        get throws {
            try processes.reduce(0) { sum, process in
                var clock = clockid_t()
                var time = timespec()
                guard unsafe clock_getcpuclockid(process.pid, &clock) == 0,
                    unsafe clock_gettime(clock, &time) == 0
                else { throw TestKitError("\(name) has ended") }
                return sum + Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
            }
        }
    }

    /// The proportional set size of all its processes, in KB.
    var proportionalKB: Int {
        get throws {
            try processes.reduce(0) { sum, process in
                let path = "/proc/\(process.pid)/smaps_rollup"
                let text = try String(contentsOfFile: path, encoding: .utf8)
                let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") } ?? ""
                return sum + (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
            }
        }
    }

    /// signet-spf, with its answers in its own DNS cache.
    static func signet(_ dns: Nameserver, in directory: TemporaryDirectory, connections: Int) throws
        -> PolicySubject
    {
        let socket = directory.file("spf.sock")
        let path = try directory.write("Nameservers \(dns)\n", to: "spf.conf")
        let process = try ChildProcess(
            try DaemonProcess.path(of: "signet-spf"), ["-x", path, "-p", "unix:\(socket)"])
        return try listening("signet-spf", socket, process, connections: connections)
    }

    /// The policy server in C that answers DUNNO.
    static func floor(in directory: TemporaryDirectory, connections: Int) throws -> PolicySubject {
        let socket = directory.file("floor.sock")
        let process = try ChildProcess(
            try DaemonProcess.path(of: "Floor"), ["policy", socket])
        return try listening("floor", socket, process, connections: connections)
    }

    /// Debian's policyd-spf, a process for each connection, as spawn(8) starts it; nil where it is not installed.
    ///
    /// `cachesAnswers` gives each process a DNS cache, which Debian's package has not.
    static func peer(
        _ dns: Nameserver, in directory: TemporaryDirectory, connections: Int, cachesAnswers: Bool
    ) throws -> PolicySubject? {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/policyd-spf") else {
            return nil
        }
        let configuration = try directory.write(
            "debugLevel = 1\nTestOnly = 1\nHELO_reject = Fail\nMail_From_reject = Fail\n",
            to: "peer.conf")
        let program = """
            import sys, dns.resolver
            resolver = dns.resolver.get_default_resolver()
            resolver.nameservers = ["127.0.0.1"]
            resolver.port = \(dns.port)
            \(cachesAnswers ? "resolver.cache = dns.resolver.LRUCache()" : "")
            from spf_engine.policyd_spf import main
            sys.argv = ["policyd-spf", "\(configuration)"]
            main()
            """
        var sockets: [LoopbackSocket] = []
        var processes: [ChildProcess] = []
        for _ in 0..<connections {
            var ends: [Int32] = [0, 0]
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
            guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
                throw TestKitError("socketpair: errno \(errno)")
            }
            sockets.append(LoopbackSocket(taking: ends[0]))
            processes.append(
                try ChildProcess(
                    "/usr/bin/python3", ["-c", program],
                    descriptors: [.init(ends[1], as: 0), .init(ends[1], as: 1)]))
            close(ends[1])
        }
        let name = cachesAnswers ? "policyd-spf with a DNS cache" : "policyd-spf"
        return PolicySubject(name, sockets, processes)
    }
}
