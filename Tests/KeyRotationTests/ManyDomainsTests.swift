import DomainKeys
import Foundation
import MailCrypto
import MailSyntax
import TestKit
import Testing
import Threads

@testable import KeyRotation

/// Many domains and several hosts: how often these are copied to does not depend on how many domains there are.
@Suite struct ManyDomainsTests {
    private let directory: TemporaryDirectory
    private let world = FakeWorld()
    private let domains: [DomainName]
    private let disk: FolderDisk
    private let hosts: [String]

    init() throws {
        let directory = try TemporaryDirectory("signet-many-domains")
        self.directory = directory
        domains = try (0..<12).map { try DomainName("d\($0).example") }
        disk = FolderDisk(KeyTree(try directory.makeDirectory("keys", mode: 0o700)))
        hosts = try ["one", "two"].map { try directory.makeDirectory($0, mode: 0o700) }
        let old = try DomainName("old")
        for domain in domains {
            try disk.makeKey(old, .ed25519, bits: 2048, of: domain)
            try disk.writeSigning([old], of: domain)
            let name = try old.below(DomainName.domainKey.below(domain))
            let value = try disk.publicKey(old, of: domain).keyRecord
            world.change { $0.published[name] = [(0, value)] }
        }
        // Stands before rsync, and notes each run.
        try directory.write(
            "#!/bin/sh\necho run >>\"\(directory.file("runs"))\"\nexec /usr/bin/rsync \"$@\"\n",
            to: "rsync", mode: 0o755)
    }

    private var runs: Int {
        let text = (try? String(contentsOfFile: directory.file("runs"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").count
    }

    /// Takes every step of all domains, after some seconds.
    private func advance(
        after seconds: Int64, rotating: Bool = false, program: String? = nil
    ) throws -> [Result<DomainRotation, RotationFailure>] {
        world.change { $0.now += seconds }
        let batch = BatchedDistributor(
            HostSync(
                disk.tree, directories: hosts, seconds: 20,
                program: program ?? directory.file("rsync")))
        let rotator = KeyRotator(
            disk: disk, dns: world, method: world, distributor: batch, policy: world.policy,
            now: { world.contents.withLock { $0.now } })
        return RotationPasses(rotator, batch).run(domains) { (domain) throws(RotationFailure) in
            rotating
                ? try rotator.rotate(domain, [.ed25519], .local)
                : try rotator.advance(domain, .local)
        }.map(\.result)
    }

    private func list(_ domain: DomainName, at place: String) -> String {
        (try? String(contentsOfFile: "\(place)/\(domain.ascii)/signing", encoding: .utf8)) ?? ""
    }

    @Test func `a step is copied once for all domains, keys before what signs with them`() throws {
        for result in try advance(after: 0, rotating: true) { _ = try result.get() }
        // Keys that sign already, lists that are missing, keys, states: one run each for a host.
        #expect(runs == 4 * hosts.count)
        let state = try advance(after: 0)[0].get()
        #expect(state.keys.last?.stage == .published)
        #expect(runs == 4 * hosts.count)
        let selector = try #require(state.keys.last?.selector)
        for host in hosts {
            for domain in domains {
                #expect(
                    FileManager.default.fileExists(
                        atPath: "\(host)/\(domain.ascii)/\(selector.ascii).private"))
                #expect(list(domain, at: host).hasSuffix("\nold\n"))
            }
        }
        // The secondary shows it, and then resolvers have forgotten that there was none.
        _ = try advance(after: 120)
        let before = runs
        for result in try advance(after: 7_200) {
            #expect(try result.get().signing == [selector])
        }
        #expect(runs == before + 5 * hosts.count)
        for place in hosts + [disk.tree.root] {
            for domain in domains {
                #expect(list(domain, at: place).hasSuffix("\n\(selector.ascii)\n"))
            }
        }
    }

    @Test func `where a host cannot be reached nothing is published, and it is tried once`() throws
    {
        try directory.write(
            "#!/bin/sh\necho run >>\"\(directory.file("runs"))\"\nexit 12\n", to: "broken",
            mode: 0o755)
        let results = try advance(
            after: 0, rotating: true, program: directory.file("broken"))
        #expect(runs == 1)
        for result in results {
            let state = try result.get()
            #expect(state.keys.last?.stage == .made)
            #expect(state.keys.last?.fault?.isEmpty == false)
            #expect(state.signing == [try DomainName("old")])
        }
        #expect(world.contents.withLock { $0.published.count } == domains.count)
        // Once it is there again, all goes on.
        for result in try advance(after: 600) {
            #expect(try result.get().keys.last?.stage == .published)
        }
    }
}
