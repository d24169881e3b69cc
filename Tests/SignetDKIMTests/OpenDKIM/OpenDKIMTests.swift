import Foundation
import TestKit
import Testing

/// OpenDKIM's own milter tests, with signet-dkim in opendkim's place and the configuration of each test as it stands.
///
/// The scripts are fetched from Debian's source package, and `deviations.txt` has what they complain of, with the reasons: a
/// complaint without a reason fails, and so does a reason without a complaint.
@Suite struct OpenDKIMTests {
    /// What is known of one script.
    struct Script: Sendable, CustomTestStringConvertible {
        let name: String
        /// Its complaints, in order, repeated ones once.
        let complaints: [String]
        var testDescription: String { name }
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    static let scripts: [Script] = {
        let text = try? String(
            contentsOf: folder.appendingPathComponent("deviations.txt"), encoding: .utf8)
        var scripts: [Script] = []
        var name: String?
        var complaints: [String] = []
        func end() {
            if let name { scripts.append(Script(name: name, complaints: complaints)) }
            name = nil
            complaints = []
        }
        for line in (text ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        where !line.hasPrefix("#") {
            if line.isEmpty {
                end()
            } else if name == nil {
                name = String(line)
            } else if line.hasPrefix("complaint: ") {
                complaints.append(String(line.dropFirst("complaint: ".count)))
            }
        }
        end()
        return scripts
    }()

    private func directory() throws -> String {
        try DebianSource("opendkim").path + "/opendkim/tests"
    }

    @Test func `each script is listed`() throws {
        let present = try FileManager.default.contentsOfDirectory(atPath: try directory())
            .filter { $0.hasPrefix("t-") && $0.hasSuffix(".lua") }.map { String($0.dropLast(4)) }
        #expect(present.count > 30)
        #expect(present.sorted() == Self.scripts.map(\.name).sorted())
    }

    /// A complaint is followed by at least one line that says why.
    @Test func `each deviation has its reason`() throws {
        let file = Self.folder.appendingPathComponent("deviations.txt")
        let lines = try String(contentsOf: file, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        for (line, next) in zip(lines, lines.dropFirst()) where line.hasPrefix("complaint: ") {
            #expect(next.hasPrefix("because: ") || next.hasPrefix("complaint: "), "after \(line)")
        }
    }

    @Test(arguments: scripts) func `OpenDKIM's script`(_ script: Script) throws {
        let tests = try directory()
        let own = try TemporaryDirectory("signet-miltertest")
        // The scripts start "../opendkim"; what a configuration is refused for is kept.
        try own.makeDirectory("tests")
        let daemon = try DaemonProcess.path(of: "signet-dkim")
        try own.write(
            """
            #!/bin/sh
            if ! "\(daemon)" -n "$@" 2>"\(own.file("check"))"; then
                mv "\(own.file("check"))" "\(own.file("refused"))"
                exit 78
            fi
            exec "\(daemon)" "$@" 2>"\(own.file("log"))"

            """, to: "opendkim", mode: 0o755)
        let run = """
            cd "$1/tests" && srcdir="$2" exec miltertest -s "$4" \\
                -D SCRIPT="$2/$3.lua" -D TESTSOCKET="unix:$1/socket" -D REFUSED="$1/refused"
            """
        let witness = Self.folder.appendingPathComponent("witness.lua").path
        let result = try Command.run(
            "sh", ["-c", run, "sh", own.path, tests, script.name, witness], seconds: 120)
        var complaints = refusedDirectives(own)
        // What follows a refusal has no meaning of its own.
        if complaints.isEmpty {
            complaints = result.output.split(separator: "\n")
                .filter { $0.hasPrefix("complaint: ") }
                .map { String($0.dropFirst("complaint: ".count)) }
        } else if !result.output.contains("complaint: ") {
            // The script wants the filter to refuse its configuration.
            complaints = []
        }
        var seen: Set<String> = []
        complaints = complaints.filter { seen.insert($0).inserted }
        #expect(complaints == script.complaints, "\(result.output)\(result.errors)")
    }

    /// The directives for which the configuration was refused.
    private func refusedDirectives(_ directory: TemporaryDirectory) -> [String] {
        let text = (try? String(contentsOfFile: directory.file("refused"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            guard let start = line.range(of: ": error: ")?.upperBound else { return nil }
            return "refused: " + line[start...].prefix { $0 != ":" }
        }
    }
}
