import Configuration
import DaemonKit
import Foundation
import HeaderScrub
import Testing

@testable import signet_scrub

/// The man page and the examples say what the program does.
struct ManualTests {
    private static let packaging = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("packaging")

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.packaging.appendingPathComponent(path), encoding: .utf8)
    }

    @Test func everyDirectiveIsInTheManPage() throws {
        let page = try text("man/signet-scrub.conf.5")
        for directive in SignetScrub.description.schema.directives {
            guard case .implemented = directive.support else { continue }
            #expect(page.contains(directive.name), "\(directive.name)")
        }
        for rule in RuleList.defaults where rule.action == .remove {
            #expect(page.contains(".Li \(rule.text) "), "\(rule.text)")
        }
    }

    @Test func theHeaderChecksAreThoseThatTheCommandWrites() throws {
        #expect(
            try text("examples/scrub/scrub_header_checks")
                == HeaderChecks.table(host: "mx.example.org"))
    }

    @Test func everyExampleIsAValidConfiguration() throws {
        let names = try FileManager.default.contentsOfDirectory(
            atPath: Self.packaging.appendingPathComponent("examples/scrub").path)
        var count = 0
        for name in names {
            guard let configuration = try? text("examples/scrub/\(name)/scrub.conf") else {
                continue
            }
            count += 1
            #expect(policy(configuration).problems.isEmpty, "\(name)")
        }
        #expect(count == 8)
    }
}
