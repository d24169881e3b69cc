import Foundation
import TestKit
import Testing

/// Every manual page is well formed, and has what its reader looks for.
struct ManualPageTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("packaging/man")

    static let pages = [
        "signet.1",
        "signet-dkim.8", "signet-dmarc.8", "signet-scrub.8", "signet-spf.8",
        "signet-dkim.conf.5", "signet-dmarc.conf.5", "signet-rotate.conf.5",
        "signet-scrub.conf.5", "signet-spf.conf.5",
    ]

    @Test func `no page is left out here`() throws {
        let present = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(present) == Set(Self.pages))
    }

    @Test(arguments: pages)
    func `a page has examples, and a daemon's page troubleshooting`(_ name: String) throws {
        let page = try String(
            contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
        #expect(page.contains("\n.Sh EXAMPLES\n"))
        #expect(!name.hasSuffix(".8") || page.contains("\n.Sh TROUBLESHOOTING\n"))
    }

    @Test(
        .enabled(if: unsafe access("/usr/bin/mandoc", X_OK) == 0, "mandoc is not installed"),
        arguments: pages)
    func `mandoc finds nothing wrong, not even with the style`(_ name: String) throws {
        let path = Self.folder.appendingPathComponent(name).path
        let result = try Command.run("/usr/bin/mandoc", ["-T", "lint", "-W", "style", path])
        // References to pages that are not installed here are no fault of this page.
        let faults = result.output.split(separator: "\n").filter {
            !$0.contains("referenced manual not found") && !$0.contains("outdated mandoc.db")
        }
        #expect(faults.isEmpty, "\(faults.joined(separator: "\n"))")
    }

    /// A macro that is called within another one's line quotes all that follows.
    @Test(
        .enabled(if: unsafe access("/usr/bin/mandoc", X_OK) == 0, "mandoc is not installed"),
        arguments: pages)
    func `no quotation begins within another`(_ name: String) throws {
        let path = Self.folder.appendingPathComponent(name).path
        let page = try Command.run("/usr/bin/mandoc", ["-T", "utf8", "-O", "width=1000", path])
        for line in page.output.split(separator: "\n") {
            for part in line.split(separator: "\u{2018}").dropFirst().dropLast() {
                #expect(part.contains("\u{2019}"), "\(line)")
            }
        }
    }

    @Test func `placeholders in braces are shown as they are written`() throws {
        let path = Self.folder.appendingPathComponent("signet-spf.conf.5").path
        let page = try Command.run("/usr/bin/man", ["-l", path])
        for name in ["rejectdefer", "spf", "reason", "explanation", "url"] {
            #expect(page.output.contains("{\(name)}"), "\(name)")
        }
    }
}
