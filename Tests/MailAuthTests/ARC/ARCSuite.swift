import Foundation
import MailDNS
import MailSyntax
import Testing
import Yams

/// The ARC test suite's cases of validation, `arc-draft-validation-tests.yml`, as its authors publish it.
struct ARCSuite {
    /// One case, with the keys that it is validated with.
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        /// The scenario that the case belongs to: some names are there twice.
        let scenario: String
        let message: String
        /// `None`, `Pass`, `Fail`; empty where the draft of the time said nothing.
        let status: String
        let keys: [String: String]

        var testDescription: String { name }
    }

    let cases: [Case]

    /// The suite, where it is found: not a part of this project.
    ///
    /// Searched in the directory named by SIGNET_VECTORS, then in a directory of shared vectors beside the
    /// sources.
    static let shared: ARCSuite? = {
        let environment = ProcessInfo.processInfo.environment["SIGNET_VECTORS"]
        let sources = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../../shared/vectors").standardizedFileURL.path
        for place in (environment.map { ["\($0)/arc", $0] } ?? []) + ["\(sources)/arc"] {
            let path = "\(place)/arc-draft-validation-tests.yml"
            if let text = try? String(contentsOfFile: path, encoding: .utf8) {
                return ARCSuite(yaml: text)
            }
        }
        return nil
    }()

    /// Reads the suite; nil if it is not in the form that is known.
    init?(yaml: String) {
        guard let documents = try? Array(Yams.compose_all(yaml: Self.withoutDuplicates(yaml)))
        else { return nil }
        var cases: [Case] = []
        for document in documents {
            guard let scenario = document["description"]?.string,
                let tests = document["tests"]?.mapping,
                let records = document["txt-records"]
            else { continue }
            var keys: [String: String] = [:]
            for (name, record) in records.mapping ?? [:] {
                guard let name = name.string, let record = record.string else { return nil }
                keys[name] = record
            }
            for (name, test) in tests {
                guard let name = name.string, let message = test["message"]?.string,
                    let status = test["cv"]?.string
                else { return nil }
                cases.append(
                    Case(
                        name: name, scenario: scenario, message: message,
                        status: status.trimmingCharacters(in: .whitespacesAndNewlines), keys: keys)
                )
            }
        }
        self.cases = cases
    }

    /// The text with other names for the cases whose names are there before: YAML does not allow that.
    private static func withoutDuplicates(_ yaml: String) -> String {
        var seen: Set<Substring> = []
        return yaml.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let isName = line.hasPrefix("  ") && line.hasSuffix(":") && !line.hasPrefix("   ")
            guard isName, !seen.insert(line).inserted else { return String(line) }
            return line.dropLast() + "_again:"
        }.joined(separator: "\n")
    }
}
