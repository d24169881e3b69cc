import Configuration
import DaemonKit
import Foundation
import ReportStore
import TestKit
import Testing

@testable import signet_dmarc

/// Every directive of opendmarc.conf(5) and our own: its class, and what it does.
@Suite struct DirectiveTests {
    private let schema = SignetDMARC.description.schema

    @Test(.enabled(if: Shared.folder != nil, "the peer's page is not at hand"))
    func `the list has every directive of the page`() throws {
        let text = try Shared.text("peer-manpages/opendmarc.conf.txt")
        let names = text.matches(of: /\n {7}([A-Z][A-Za-z]+) \((?:Boolean|integer|string)\)/)
            .map { String($0.1) }
        #expect(Set(names) == Set(PeerDirectives.all))
    }

    @Test func `the schema has these directives and no others`() {
        let known = Set(schema.directives.flatMap { [$0.name] + $0.aliases })
        #expect(known == Set(PeerDirectives.all + PeerDirectives.ours + PeerDirectives.development))
        #expect(PeerDirectives.all.count == Set(PeerDirectives.all).count)
    }

    @Test(arguments: PeerDirectives.withoutEffect)
    func `is accepted with a notice`(_ name: String) throws {
        guard case .noOp(let why) = try #require(schema[name]).support else {
            Issue.record("\(name) is not a no-op")
            return
        }
        #expect(!why.isEmpty)
        let problems = read("\(name) 1\n").problems
        #expect(problems.map(\.severity) == [.notice], "\(problems)")
        #expect(problems.first?.description.hasPrefix("dmarc.conf:1:1: notice: \(name): ") == true)
    }

    @Test(arguments: PeerDirectives.refused)
    func `is refused with the reason and the way to go`(_ name: String) throws {
        guard case .refused(let reason, let way, _) = try #require(schema[name]).support else {
            Issue.record("\(name) is not refused")
            return
        }
        #expect(!reason.isEmpty && !way.isEmpty)
        let problems = read("\(name) yes\n").problems
        #expect(problems.map(\.severity) == [.error])
        #expect(problems.first?.suggestion == way)
        #expect(read("\(name) no\n").problems.hasErrors)
    }

    @Test(arguments: PeerDirectives.implemented + PeerDirectives.ours)
    func `does what it says`(_ name: String) throws {
        let spec = try #require(schema[name])
        guard case .implemented = spec.support else {
            Issue.record("\(name) is not implemented")
            return
        }
        #expect(!spec.meaning.isEmpty)
        let check = try #require(Behaviours.all[name], "\(name) has no check of its behaviour")
        try check()
    }

    @Test func `every check belongs to a directive`() {
        let names = Set(PeerDirectives.implemented + PeerDirectives.ours)
        #expect(Set(Behaviours.all.keys) == names)
    }

    @Test func `the defaults are valid, and the settled ones hold`() {
        let (configuration, problems) = read("")
        #expect(problems.isEmpty, "\(problems)")
        #expect(configuration.scope.ignoresAuthenticated)
        #expect(configuration.trusted.evaluatesSPF && configuration.trusted.evaluatesDKIM)
        #expect(configuration.trusted.hosts.isEmpty && configuration.trustedSealers.isEmpty)
        #expect(!configuration.dispositions.rejects && !configuration.dispositions.holds)
        #expect(configuration.records.store == .file("/var/lib/signet-dmarc/reports.db"))
        #expect(configuration.records.retention == 30)
    }

    @Test func `every directive has its entry in signet-dmarc.conf(5), with its default`() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../packaging/man/signet-dmarc.conf.5")
        let text = try String(contentsOf: page, encoding: .utf8)
        for spec in schema.directives {
            for name in [spec.name] + spec.aliases {
                #expect(
                    text.contains(try Regex("(?m)^\\.(It|Ic|Pq|Sm|Li)?.*\\b\(name)\\b")), "\(name)")
            }
            guard let value = spec.defaultValue, case .implemented = spec.support,
                let entry = text.firstMatch(
                    of: try Regex(
                        "(?m)^\\.It Ic \(spec.name) Pq (.*)$", as: (Substring, Substring).self))
            else { continue }
            // Where a line may break, mdoc(7) has "\:".
            let described = entry.1.replacing("\\:", with: "")
            #expect(described.hasSuffix("default \(value)"), "\(entry.0)")
        }
    }
}
