import Configuration
import DaemonKit
import Foundation
import TestKit
import Testing

@testable import signet_dkim

/// The manual pages: complete, and well formed.
@Suite struct ManPageTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../../packaging/man").standardized.path

    @Test func `signet-dkim.conf(5) has every directive under its class, with its default`() throws
    {
        let page = try String(
            contentsOfFile: Self.folder + "/signet-dkim.conf.5", encoding: .utf8)
        let sections = page.components(separatedBy: "\n.Sh ")
        let withoutEffect = try #require(sections.first { $0.hasPrefix("WITHOUT EFFECT") })
        let refused = try #require(sections.first { $0.hasPrefix("REFUSED") })
        let rest = sections.filter { $0 != withoutEffect && $0 != refused }.joined(separator: "\n")
        for spec in SignetDKIM.description.schema.directives {
            for name in [spec.name] + spec.aliases {
                switch spec.support {
                case .implemented: #expect(items(rest).contains(name), "\(name)")
                case .noOp: #expect(items(withoutEffect).contains(name), "\(name)")
                case .refused: #expect(items(refused).contains(name), "\(name)")
                }
            }
            if case .implemented = spec.support, let value = spec.defaultValue {
                #expect(page.contains(".It Ic \(spec.name) Pq "), "\(spec.name)")
                // Where a line may break, mdoc(7) has "\:".
                let line = page.split(separator: "\n").first {
                    $0.hasPrefix(".It Ic \(spec.name) Pq ")
                }?.replacing("\\:", with: "")
                #expect(line?.hasSuffix("; default \(value)") == true, "\(spec.name)")
            }
        }
        #expect(items(rest).contains("Include"))
    }

    @Test(arguments: ["signet-dkim.8", "signet-dkim.conf.5"])
    func `a reader sees no markup`(_ name: String) throws {
        let page = try Command.run("/usr/bin/man", ["-l", "\(Self.folder)/\(name)"])
        #expect(page.succeeded && page.output.contains("signet-dkim"), "\(page.errors)")
        // Escapes that were themselves escaped.
        for markup in ["\\(", "\\f", "\\&", ".Pq", ".Ic"] {
            #expect(!page.output.contains(markup), "\(markup)")
        }
    }

    /// The names that a section is about: those of its items and of its `Ic` lines.
    private func items(_ section: String) -> Set<String> {
        var names: Set<String> = []
        for line in section.split(separator: "\n")
        where line.hasPrefix(".It Ic ") || line.hasPrefix(".Ic ") {
            let words = line.split(separator: " ").prefix { $0 != "Pq" }
            names.formUnion(words.map(String.init))
        }
        return names
    }

    @Test(
        .enabled(if: unsafe access("/usr/bin/mandoc", X_OK) == 0, "mandoc is not installed"),
        arguments: ["signet-dkim.8", "signet-dkim.conf.5"])
    func `mandoc finds nothing wrong`(_ name: String) throws {
        let result = try Command.run(
            "/usr/bin/mandoc", ["-T", "lint", "-W", "warning", "\(Self.folder)/\(name)"])
        #expect(result.output.isEmpty && result.succeeded, "\(result.output)\(result.errors)")
    }
}
