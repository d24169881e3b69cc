import Configuration
import DaemonKit
import Foundation
import TestKit
import Testing

@testable import signet_dkim

/// Every directive of the peers' pages: its class, and what it does.
@Suite struct DirectiveTests {
    private let schema = SignetDKIM.description.schema

    @Test(.enabled(if: Shared.folder != nil, "the peers' pages are not at hand"))
    func `the list has every directive of both pages`() throws {
        let pattern =
            /\n {7}([A-Z][A-Za-z0-9-]+) \((?:[Bb]oolean|integer|string|data ?set|filename|address)\)/
        for page in ["opendkim.conf", "dkimpy-milter.conf"] {
            let text = try Shared.text("peer-manpages/\(page).txt")
            let names = text.matches(of: pattern).map { String($0.1) }
            #expect(names.count > 25, "\(page)")
            #expect(Set(names).subtracting(PeerDirectives.all).isEmpty, "\(page)")
        }
    }

    @Test func `the schema has these directives and no others`() {
        let known = Set(schema.directives.flatMap { [$0.name] + $0.aliases } + ["Include"])
        #expect(known == Set(PeerDirectives.all + PeerDirectives.ours))
        #expect(PeerDirectives.all.count == Set(PeerDirectives.all).count)
    }

    @Test(arguments: PeerDirectives.withoutEffect)
    func `is accepted with a notice`(_ name: String) throws {
        let spec = try #require(schema[name])
        guard case .noOp(let why) = spec.support else {
            Issue.record("\(name) is not a no-op")
            return
        }
        #expect(!why.isEmpty)
        let problems = read("\(name) 1\n").problems
        #expect(problems.map(\.severity) == [.notice])
        #expect(problems.first?.description.hasPrefix("dkim.conf:1:1: notice: \(name): ") == true)
    }

    @Test(arguments: PeerDirectives.refused)
    func `is refused with the reason and the way to go`(_ name: String) throws {
        let spec = try #require(schema[name])
        guard case .refused(let reason, let instead, let acceptsNo) = spec.support else {
            Issue.record("\(name) is not refused")
            return
        }
        #expect(!reason.isEmpty && !instead.isEmpty)
        let problems = read("\(name) yes\n").problems
        #expect(problems.map(\.severity) == [.error])
        #expect(problems.first?.suggestion == instead)
        #expect(read("\(name) no\n").problems.isEmpty == acceptsNo)
    }

    /// `Include` is no row of the schema: the file reader knows it.
    @Test(arguments: (PeerDirectives.implemented + PeerDirectives.ours).filter { $0 != "Include" })
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
        #expect(Set(Behaviours.all.keys).subtracting(names).isEmpty)
    }

    @Test func `the defaults are themselves valid`() {
        #expect(read("").problems.isEmpty)
    }
}
