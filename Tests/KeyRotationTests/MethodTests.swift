import Configuration
import Foundation
import MailSyntax
import TestKit
import Testing
import Threads

@testable import KeyRotation

@Suite struct MethodTests {
    private let directory: TemporaryDirectory
    private let record: KeyPublicationRecord

    init() throws {
        directory = try TemporaryDirectory("signet-method")
        record = KeyPublicationRecord(
            name: try DomainName("s1._domainkey.example.org"),
            domain: try DomainName("example.org"),
            value: "v=DKIM1; p=" + String(repeating: "A", count: 400), ttl: 600)
    }

    private func program(_ text: String) throws -> String {
        try directory.write("#!/bin/sh\n\(text)\n", to: "hook", mode: 0o755)
    }

    private func failure(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch {
            return "\(error)"
        }
    }

    // MARK: Hooks

    @Test func `a hook gets four words and next to no environment`() throws {
        let said = Locked<[String]>([])
        let hook = HookMethod(
            try program("for word; do echo \"<$word>\"; done; env | cut -d= -f1 | sort")
        ) { line in said.withLock { $0.append(line) } }
        try hook.present(record)
        let path = directory.file("hook")
        let lines = said.withLock { $0 }.map { $0.replacing("\(path): ", with: "") }
        #expect(
            lines == [
                "<present>", "<s1._domainkey.example.org>", "<\(record.value)>", "<600>", "PATH",
                "PWD",
            ])
    }

    @Test func `a hook that fails says why`() throws {
        let hook = HookMethod(try program("echo no login >&2; exit 3"), log: { _ in })
        #expect(failure { try hook.cleanup(record) }.hasSuffix("ended with status 3: no login"))
        let missing = HookMethod(directory.file("none"), log: { _ in })
        #expect(failure { try missing.present(record) }.contains("No such file or directory"))
        let killed = HookMethod(try program("kill -9 $$"), log: { _ in })
        #expect(failure { try killed.present(record) }.contains("was killed"))
    }

    @Test func `a hook that hangs is killed with all that it started`() throws {
        let pids = directory.file("pids")
        let hook = HookMethod(
            try program("sleep 600 & echo $! >\(pids); wait"), seconds: 1, log: { _ in })
        #expect(failure { try hook.present(record) }.contains("did not end within 1 seconds"))
        let text = try String(contentsOfFile: pids, encoding: .utf8)
        let child = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        _ = try wait(for: "the hook's child to end", seconds: 10) { () -> Bool? in
            // Nobody may have waited for it yet: a process that has ended and is still listed has no command line.
            let line = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(child)/cmdline"))
            return line?.isEmpty ?? true ? true : nil
        }
    }

    @Test func `a hook that never stops talking fills nothing`() throws {
        let said = Locked(0)
        let hook = HookMethod(try program("head -c 3000000 /dev/zero | tr '\\0' x")) { line in
            said.withLock { $0 += line.utf8.count }
        }
        try hook.present(record)
        #expect(said.withLock { $0 } < 10_000)
    }

    @Test func `time counts as it passes, however much a hook says`() throws {
        // Before, each of 4,096 octets counted as a fiftieth of a second.
        let hook = HookMethod(
            try program("head -c 10000000 /dev/zero"), seconds: 40, log: { _ in })
        try hook.present(record)
    }

    // MARK: Zone files

    private static let zone = """
        $TTL 600
        ; SOA in a comment ( 1 2 3
        @ IN SOA ns1 hostmaster.example.org. ( ; "SOA"
            2026112700 ; serial
            3600 600 86400 300 )
        @ NS ns1
        t TXT "a SOA b c 5"
        $INCLUDE example.org.signet

        """

    @Test func `records go to a file that the zone includes, and its serial is raised`() throws {
        try directory.write(Self.zone, to: "example.org.zone", mode: 0o640)
        try directory.write("; old\nother. 1 IN TXT \"x\"\n", to: "example.org.signet")
        let method = ZoneFileMethod(directory: directory.path, reload: nil)
        try method.present(record)
        let include = try String(
            contentsOfFile: directory.file("example.org.signet"), encoding: .utf8)
        #expect(include.contains("other. 1 IN TXT \"x\"\n"))
        #expect(include.contains("s1._domainkey.example.org. 600 IN TXT \"v=DKIM1; p=AAA"))
        let text = try String(contentsOfFile: directory.file("example.org.zone"), encoding: .utf8)
        #expect(text != Self.zone)
        // Again: nothing has changed, so nothing does.
        try method.present(record)
        #expect(
            try String(contentsOfFile: directory.file("example.org.zone"), encoding: .utf8) == text)
        try method.cleanup(record)
        #expect(
            try String(contentsOfFile: directory.file("example.org.signet"), encoding: .utf8)
                .contains("_domainkey") == false)
        let mode = try FileManager.default.attributesOfItem(
            atPath: directory.file("example.org.zone"))[.posixPermissions]
        #expect(mode as? Int == 0o640)
    }

    @Test func `a zone without a serial is a failure, and nothing is written`() throws {
        let method = ZoneFileMethod(directory: directory.path, reload: nil)
        #expect(failure { try method.present(record) }.contains("there is no "))
        try directory.write("@ NS ns1\n", to: "example.org.zone")
        #expect(failure { try method.present(record) }.contains("no SOA record"))
        #expect(!FileManager.default.fileExists(atPath: directory.file("example.org.signet")))
    }

    @Test(arguments: [
        ("a SOA m r 7 1", "a SOA m r 8 1"), ("a SOA m r (\n4294967295 1)", "a SOA m r (\n1 1)"),
        ("a SOA m r 2026010199 1", "a SOA m r 2026112700 1"),
        ("a SOA m r 2026112700 1", "a SOA m r 2026112701 1"),
        ("a soa m r 2030010100 1", "a soa m r 2030010101 1"), ("a SOA m r x", nil),
        ("a SOA m r", nil), ("\"a SOA m r 7", nil), ("", nil), (";SOA m r 7", nil),
    ])
    func `only the serial changes`(_ zone: String, _ raised: String?) {
        #expect(ZoneSerial.raised(in: zone, today: 20_261_127) == raised)
    }

    // MARK: CNAMEs

    @Test func `delegated selectors are changed in our zone`() throws {
        let seen = Locked<[String]>([])
        let inner = ShowMethod { line in seen.withLock { $0.append(line) } }
        let method = AliasMethod(zone: try DomainName("keys.example.net"), inner: inner)
        try method.present(record)
        #expect(
            seen.withLock { $0[0] }.contains(
                "s1._domainkey.example.org.keys.example.net (TXT, TTL 600)"))
    }
}

@Suite struct RotationConfigurationTests {
    private func read(_ text: String) -> (RotationConfiguration, [String]) {
        let reader = ConfigurationReader(
            schema: RotationDirectives.schema, text: text, named: "rotate.conf")
        let configuration = RotationConfiguration(reader)
        return (configuration, reader.problems.map(\.description))
    }

    @Test func `the defaults`() {
        let (configuration, problems) = read("")
        #expect(problems.isEmpty)
        #expect(configuration.policy == RotationPolicy())
        #expect(configuration.method == .show)
    }

    @Test(arguments: [
        ("Method hook", "Hook: is missing"), ("Method zonefile", "ZoneDirectory: is missing"),
        ("AliasZone a_b", "is not a domain"), ("AliasZone k.example\nAliasSelectors a", "two"),
        ("AliasZone k.example\nAliasSelectors a,a", "two"), ("SyncHosts -x", "is not HOST"),
        ("SyncHosts a:b", "is not HOST"), ("UpdateServer x", "is not the IP address"),
        ("ReportStore postgresql:///x\nLeaseTime 60s", "LeaseTime: is shorter"),
        ("Method carrier-pigeon", "Method"), ("UpdateZone a..b", "is not a domain"),
    ])
    func `every fault is told`(_ text: String, _ words: String) {
        let problems = read(text).1
        #expect(problems.contains { $0.contains("error") && $0.contains(words) }, "\(problems)")
    }

    @Test func `times come in units`() {
        let policy = read(
            "RecordTTL 5s\nQueueLifetime 1h\nRetireMargin 0\nEmptyBeforeRemoval no\nRotateEvery 90d\n"
        ).0.policy
        #expect(policy.recordTTL == 5 && policy.queueLifetime == 3600 && policy.margin == 0)
        #expect(policy.retirement == 3605)
        #expect(!policy.emptiesFirst && policy.interval == 7_776_000)
    }

    @Test func `the page has every directive with its default`() throws {
        let path = URL(fileURLWithPath: #filePath)
            .appendingPathComponent("../../../packaging/man/signet-rotate.conf.5").standardized.path
        let page = try String(contentsOfFile: path, encoding: .utf8)
        for spec in RotationDirectives.schema.directives {
            let line = page.split(separator: "\n").first {
                $0.hasPrefix(".It Ic \(spec.name) Pq ")
            }
            let ending = spec.defaultValue.map { "; default \($0)" } ?? "; no default"
            #expect(line?.hasSuffix(ending) == true, "\(spec.name)")
        }
    }
}
