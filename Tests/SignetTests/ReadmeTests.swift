import Foundation
import Testing

/// README shows what the packages bring, and nothing that a later block of it would undo.
struct ReadmeTests {
    private static let project = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func lines(of path: String) throws -> [String] {
        let text = try String(
            contentsOf: Self.project.appendingPathComponent(path), encoding: .utf8)
        return text.components(separatedBy: "\n")
    }

    @Test func `the configuration shown is the packaged one uncommented`() throws {
        let packaged = try lines(of: "packaging/conf/dkim.conf")
        let start = try #require(packaged.firstIndex { $0.hasPrefix("#Domain ") })
        let commented = packaged[start...].prefix { $0.hasPrefix("#") }
        let expected = commented.map { "    " + $0.dropFirst() }
        let readme = try lines(of: "README.md")
        let shown = try #require(readme.firstIndex { $0 == expected.first })
        #expect(Array(readme[shown...].prefix(expected.count)) == expected)
        #expect(expected.count == 5)
    }

    @Test func `main.cf's lines are shown once`() throws {
        let readme = try lines(of: "README.md")
        for parameter in ["smtpd_milters", "non_smtpd_milters", "smtpd_recipient_restrictions"] {
            let blocks = readme.filter {
                $0.hasPrefix("    ") && $0.contains("\(parameter) = ")
                    && $0.trimmingCharacters(in: .whitespaces).hasPrefix(parameter)
            }
            #expect(blocks.count == 1, "\(parameter)")
        }
    }

    @Test func `signet postfix and the package print main.cf's lines as README shows them`() throws
    {
        let readme = try lines(of: "README.md")
        let start = try #require(readme.firstIndex { $0.hasPrefix("        smtpd_milters = ") })
        let shown = readme[start...].prefix { !$0.isEmpty }.map { $0.dropFirst(8) }
        let run = try SignetCommand.run(["postfix", "scrub", "dkim", "dmarc", "spf"])
        #expect(run.output == shown.joined(separator: "\n") + "\n")
        let some = try SignetCommand.run(["postfix", "spf", "dkim"])
        #expect(some.output.hasPrefix("smtpd_milters = unix:signet/dkim.sock\nnon_smtpd_milters"))
    }

    @Test func `every file that README links to exists`() throws {
        let text = try lines(of: "README.md").joined(separator: "\n")
        for link in text.matches(of: /\]\(([^)#:]+)\)/) {
            let path = Self.project.appendingPathComponent(String(link.1)).path
            #expect(FileManager.default.fileExists(atPath: path), "\(link.1)")
        }
    }

    @Test func `installing from packages needs no Swift`() throws {
        let readme = try lines(of: "README.md")
        #expect(!readme.contains { $0.contains("swift build") })
    }
}
