import DomainKeys
import Foundation
import MailDNS
import MailSyntax
import TestKit
import Testing
import Threads

@testable import KeyRotation

/// Rotations against authoritative servers, in real time with short times.
@Suite(.enabled(if: PrivateServers.areInstalled, "knot, nsd or nsupdate is not installed"))
struct RealServerTests {
    private struct Setting {
        let servers: PrivateServers
        let directory: TemporaryDirectory
        let disk: FolderDisk
        let view: AuthoritativeView

        init() throws {
            servers = try PrivateServers()
            directory = try TemporaryDirectory("signet-rotation")
            try directory.makeDirectory("keys", mode: 0o700)
            disk = FolderDisk(KeyTree(directory.file("keys")))
            view = AuthoritativeView(
                resolver: ZoneResolver(), fixed: [servers.primary, servers.secondary], seconds: 1)
        }

        var nsupdate: NsupdateMethod {
            var method = NsupdateMethod()
            method.keyFile = servers.keyFile
            method.server = servers.primary
            method.zone = "example.org"
            return method
        }

        func rotator(_ method: any RecordMethod) -> KeyRotator {
            var policy = RotationPolicy()
            policy.recordTTL = 2
            policy.queueLifetime = 3
            policy.margin = 1
            return KeyRotator(
                disk: disk, dns: view, method: method, policy: policy,
                now: TimeSource.system.seconds)
        }

        /// Every key that signs is shown by both servers.
        func check() throws {
            for selector in try disk.signing(.example) ?? [] {
                let key = try disk.publicKey(selector, of: .example)
                let sighting = KeySighting(view.sight(FakeWorld.name(selector)), of: key)
                guard case .shown = sighting else {
                    Issue.record("\(selector) signs: \(sighting)")
                    continue
                }
            }
        }

        /// Goes on until the keys that sign are others.
        func run(_ method: any RecordMethod, until isDone: ([String]) -> Bool) throws {
            _ = try wait(for: "the rotation", seconds: 60) { () -> Bool? in
                _ = try rotator(method).advance(.example)
                try check()
                return isDone(try disk.signing(.example)?.map(\.ascii) ?? []) ? true : nil
            }
        }
    }

    @Test func `keys rotate three times by updates, behind a secondary that lags`() throws {
        let setting = try Setting()
        _ = try setting.rotator(setting.nsupdate).rotate(.example, KeyKind.allCases)
        try setting.run(setting.nsupdate) { $0.count == 2 }
        for _ in 0..<2 {
            let before = Set(try setting.disk.signing(.example)?.map(\.ascii) ?? [])
            let state = try setting.rotator(setting.nsupdate).rotate(.example)
            // The secondary has not heard of it yet.
            #expect(state.keys.filter(\.stage.isComing).count == 2)
            try setting.run(setting.nsupdate) { $0.count == 2 && before.isDisjoint(with: $0) }
            // Those before go, from the disk and from both servers.
            try setting.run(setting.nsupdate) { _ in
                before.allSatisfy { name in
                    let selector = (try? DomainName(name)) ?? .root
                    return (try? setting.disk.publicKey(selector, of: .example)) == nil
                }
            }
        }
        #expect(try setting.disk.keys(of: .example).count == 2)
    }

    @Test func `a hook changes records, and a dead secondary holds the switch up`() throws {
        let setting = try Setting()
        let example = URL(fileURLWithPath: #filePath)
            .appendingPathComponent("../../../packaging/examples/rotate/hook-nsupdate").standardized
        // The example as it stands, but for the key and the server.
        let text = try String(contentsOf: example, encoding: .utf8)
            .replacing("/etc/signet/rotate.key", with: setting.servers.keyFile)
            .replacing(
                "server=ns1.example.com",
                with: "server='127.0.0.1 \(setting.servers.primary.port)'")
        let path = try setting.directory.write(text, to: "hook", mode: 0o755)
        let hook = HookMethod(path, seconds: 20, log: { _ in })
        _ = try setting.rotator(hook).rotate(.example, [.rsa])
        try setting.run(hook) { $0.count == 1 }
        let before = try setting.disk.signing(.example)
        setting.servers.stopSecondary()
        var state = try setting.rotator(hook).rotate(.example)
        let coming = try #require(state.keys.last { $0.stage.isComing })
        #expect(coming.fault?.contains("127.0.0.1@\(setting.servers.secondary.port)") == true)
        state = try setting.rotator(hook).advance(.example)
        #expect(try setting.disk.signing(.example) == before)
    }
}
