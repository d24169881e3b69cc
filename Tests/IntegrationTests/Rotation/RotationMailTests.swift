import Foundation
import TestKit
import Testing

/// Mail that flows through a private Postfix while `signet key rotate` replaces its keys, at real authoritative servers.
@Suite(
    .serialized, .enabled(if: PrivateServers.areInstalled, "knot, nsd or nsupdate is not installed")
)
struct RotationMailTests {
    @Test func `every message verifies on arrival while keys rotate and the command is killed`()
        throws
    {
        let servers = try PrivateServers()
        let host = try RotatingHost(
            """
            Method nsupdate
            UpdateKey \(servers.keyFile)
            UpdateServer \(servers.primary)
            UpdateZone example.org
            AuthoritativeServers \(servers.primary), \(servers.secondary)
            RecordTTL 2s
            QueueLifetime 3s
            RetireMargin 1s

            """)
        var count = 0
        func send() throws {
            count += 1
            try host.expectVerified("rotate-\(count)", at: servers)
        }
        let first = try host.signet("rotate", "example.org", "--type", "both", "--wait")
        #expect(first.succeeded, "\(first.output)\(first.errors)")
        for round in 0..<3 {
            let before = Set(try host.signers())
            #expect(before.count == 2)
            // Killed at the beginning of each step or in its middle, from the first on.
            try host.signetKilled("rotate", "example.org", after: 30_000 + UInt32(round) * 40_000)
            try send()
            _ = try host.signet("rotate", "example.org")
            for step in 0..<12 {
                try host.signetKilled("rotate", after: UInt32(step) * 17_000)
                try send()
            }
            let last = try host.signet("rotate", "example.org", "--wait")
            #expect(last.succeeded, "\(last.output)\(last.errors)")
            try send()
            #expect(before.isDisjoint(with: try host.signers()))
            // What was there before is withdrawn before the next round.
            _ = try wait(for: "the keys before to go", seconds: 60) { () -> Bool? in
                _ = try host.signet("rotate")
                try send()
                return try host.selectors().count == 2 ? true : nil
            }
        }
        let list = try host.signet("list", "--nameserver", "\(servers.secondary)", "--json")
        #expect(list.succeeded, "\(list.output)\(list.errors)")
        #expect(list.output.components(separatedBy: "\"dns\" : \"matches\"").count == 3)
        #expect(try host.daemon.stop() == .exited(0))
    }
}
