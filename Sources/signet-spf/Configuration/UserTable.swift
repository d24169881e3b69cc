import Configuration

/// The recipients that have settings of their own (Per_User; policyd-spf.peruser(5)).
///
/// Trust: the file is the administrator's; the recipients looked up are what clients said.
struct UserTable: Sendable {
    /// The policies, each over that of the configuration, in the order of the file.
    private(set) var policies: [SharedPolicy] = []
    /// Positions of whole addresses, in lower case.
    private var exact: [String: Int] = [:]
    /// Positions of patterns, in order.
    private var patterns: [(glob: Glob, position: Int)] = []

    /// The longest file that is read.
    private static let longestFile = 16 << 20

    /// Reads the file that Per_User names; nil where there is none.
    init?(reading reader: ConfigurationReader, over policy: Policy) {
        guard let value = reader.text("Per_User"), value.lowercased() != "none" else { return nil }
        let parts = value.split(separator: ",", maxSplits: 1).map { Self.trimmed($0) }
        guard parts.count == 2, parts[0].lowercased() == "text", parts[1].hasPrefix("/") else {
            reader.report(
                .error, "Per_User", "\"\(value)\" does not name a file",
                suggestion: "write text,/etc/signet/spf-users")
            return nil
        }
        do throws(FileReadError) {
            for line in try reader.textLines(of: parts[1], sizeLimit: Self.longestFile) {
                take(line.text, at: line.location, over: policy, reader)
            }
        } catch {
            // policyd-spf.peruser(5): "an error is logged and the global configuration is used".
            reader.report(.warning, "Per_User", "\(parts[1]) \(error): it is left out")
            return nil
        }
    }

    /// The place of the first line of the file that is about a recipient.
    func position(of address: [UInt8]) -> Int? {
        if address.isEmpty { return nil }
        let recipient = String(decoding: address, as: UTF8.self)
        let whole = exact[recipient.lowercased()]
        let pattern = patterns.first { $0.glob.matches(recipient) }?.position
        return [whole, pattern].compactMap { $0 }.min()
    }

    /// Takes one line: a recipient or a pattern, a comma, and settings with "|" between them.
    private mutating func take(
        _ line: String, at place: SourceLocation, over policy: Policy,
        _ reader: ConfigurationReader
    ) {
        let parts = line.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let user = parts.first.map({ Self.trimmed($0) }), !user.isEmpty
        else {
            reader.report(
                ConfigurationProblem(
                    .error, at: place, directive: "Per_User", "the line is not a user's",
                    suggestion: "write USER@DOMAIN,Directive=value|Directive=value"))
            return
        }
        let settings = ConfigurationReader(
            schema: ConfigurationSchema(Directives.perUser, tolerance: Directives.tolerance),
            file: nil,
            overrides: parts[1].split(separator: "|").map { Self.statement($0, at: place) })
        var own = policy
        PolicyReader(settings, keepsOthers: true).read(into: &own)
        for problem in settings.problems { reader.report(problem) }
        let position = policies.count
        if user.contains("*") {
            do throws(Glob.Fault) {
                patterns.append((try Glob(user, ignoringCase: true), position))
            } catch {
                reader.report(
                    ConfigurationProblem(
                        .error, at: place, directive: "Per_User", error.message))
            }
        } else if exact[user.lowercased()] == nil {
            exact[user.lowercased()] = position
        }
        policies.append(SharedPolicy(own))
    }

    private static func statement(
        _ text: Substring, at place: SourceLocation
    ) -> ConfigurationStatement {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts.first.map { trimmed($0) } ?? ""
        var value = parts.count == 2 ? trimmed(parts[1]) : ""
        // The example in policyd-spf.peruser(5), which is copied, has "::1//128".
        if ["skip_addresses", "whitelist"].contains(name.lowercased()), !value.hasPrefix("/") {
            value = value.reduce(into: "") { kept, next in
                if next != "/" || kept.last != "/" { kept.append(next) }
            }
        }
        return ConfigurationStatement(name, value, at: place)
    }

    private static func trimmed(_ text: Substring) -> String {
        let kept = text.drop { $0 == " " || $0 == "\t" }
        let end = kept.lastIndex { $0 != " " && $0 != "\t" }
        return end.map { String(kept[...$0]) } ?? ""
    }
}
