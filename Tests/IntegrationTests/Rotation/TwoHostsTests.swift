import Foundation
import TestKit
import Testing

/// Two hosts that sign for one domain, each with its keys on a disk of its own, a lease in PostgreSQL and ssh between them.
@Suite(
    .serialized,
    .enabled(
        if: PrivateServers.areInstalled && SSHServer.isInstalled && PostgreSQLServer.isInstalled,
        "knot, nsd, nsupdate, sshd, rsync or PostgreSQL is not installed")
)
struct TwoHostsTests {
    private struct Pair {
        let servers: PrivateServers
        let database: String
        let hosts: [RotatingHost]
        let doors: [SSHServer]
        private let common: TemporaryDirectory

        init() throws {
            servers = try PrivateServers()
            database = try #require(PostgreSQLServer.shared).makeDatabase()
            common = try TemporaryDirectory("signet-common")
            let path = try common.makeDirectory("keys", mode: 0o700)
            hosts = try (0..<2).map { _ in try RotatingHost("", seenAt: path) }
            doors = try hosts.map { try SSHServer(SSHServer.Place($0.keys, at: path)) }
            let ssh = try common.write(
                doors.enumerated().map { $1.clientConfiguration("host\($0)") }.joined(),
                to: "ssh_config")
            for (number, host) in hosts.enumerated() {
                try host.configure(
                    """
                    Method nsupdate
                    UpdateKey \(servers.keyFile)
                    UpdateServer \(servers.primary)
                    UpdateZone example.org
                    AuthoritativeServers \(servers.primary), \(servers.secondary)
                    RecordTTL 2s
                    QueueLifetime 3s
                    RetireMargin 1s
                    ProgramTimeout 3s
                    ReportStore \(database)
                    LeaseTime 12s
                    HostName host\(number)
                    SyncHosts host\(1 - number)
                    SyncShell ssh -F \(ssh)

                    """)
            }
        }

        /// Every host sends a message, and each verifies.
        func send(_ name: String) throws {
            for (number, host) in hosts.enumerated() {
                try host.expectVerified("\(name)-\(number)", at: servers)
            }
        }
    }

    @Test func `one rotates, and when it dies in the middle the other goes on`() throws {
        let pair = try Pair()
        let (first, second) = (pair.hosts[0], pair.hosts[1])
        var result = try first.signet("rotate", "example.org", "--type", "rsa", "--wait")
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        try pair.send("first")
        let old = try first.signers()
        #expect(try old.count == 1 && second.signers() == old)
        // The other host has nothing to do, and does nothing for whoever asks.
        result = try second.signet("rotate")
        #expect(result.succeeded && result.output.contains("host0 ("), "\(result.output)")
        result = try second.signet("rotate", "example.org")
        #expect(result.end == .exited(75) && result.errors.contains("--take-over"))
        #expect(try second.selectors() == Set(old))
        // The leader dies in the middle of steps, and at last for good; nobody can reach it either.
        for step in 0..<6 {
            try first.signetKilled("rotate", "example.org", after: 60_000 + UInt32(step) * 90_000)
            try pair.send("killed-\(step)")
        }
        pair.doors[0].stop()
        var count = 0
        _ = try wait(for: "the second host to want to switch", seconds: 60) { () -> Bool? in
            result = try second.signet("rotate", "example.org")
            count += 1
            try pair.send("alone-\(count)")
            return result.output.contains("host0:") ? true : nil
        }
        // The dead host might still sign: the old key goes on everywhere.
        #expect(try first.signers() == old && second.signers() == old)
        try pair.doors[0].start()
        _ = try wait(for: "the second host to rotate", seconds: 60) { () -> Bool? in
            _ = try second.signet("rotate")
            count += 1
            try pair.send("again-\(count)")
            let signers = try second.signers()
            return try signers != old && first.signers() == signers ? true : nil
        }
        // The first host is back, and no leader any more.
        result = try first.signet("rotate")
        #expect(result.succeeded && result.output.contains("host1 ("), "\(result.output)")
        _ = try wait(for: "the old key to go from both", seconds: 60) { () -> Bool? in
            _ = try second.signet("rotate")
            count += 1
            try pair.send("gone-\(count)")
            let left = try first.selectors().union(second.selectors())
            return left.isDisjoint(with: old) ? true : nil
        }
        try expectNoKeys(in: pair)
    }

    /// Neither a private key nor a part of one is in the database.
    private func expectNoKeys(in pair: Pair) throws {
        let dump = try Command.require("pg_dump", ["--dbname", pair.database])
        #expect(dump.contains("key rotation\thost1"))
        for selector in try pair.hosts[1].selectors() {
            let path = "\(pair.hosts[1].keys)/example.org/\(selector).private"
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            #expect(lines.count > 10 && lines.allSatisfy { !dump.contains($0) })
        }
    }

    @Test func `nothing rotates while the database is away, and mail goes on`() throws {
        let pair = try Pair()
        let host = pair.hosts[0]
        var result = try host.signet("rotate", "example.org", "--type", "rsa", "--wait")
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        let old = try host.signers()
        try host.configure(
            "ReportStore postgresql:///none?host=/nonexistent\nMethod show\nLeaseTime 1h\n")
        result = try host.signet("rotate", "example.org")
        #expect(result.end == .exited(75))
        #expect(result.errors.contains("no host may rotate while the lease cannot be read"))
        #expect(try host.signers() == old && host.selectors() == Set(old))
        try pair.send("away")
    }
}
