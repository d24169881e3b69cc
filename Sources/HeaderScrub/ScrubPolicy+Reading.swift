public import Configuration
internal import MailSyntax

/// The directives about header fields, and how they are read.
extension ScrubPolicy {
    /// The directives that this part of the configuration consists of.
    public static let directives: [DirectiveSpec] = [
        DirectiveSpec(
            "Remove", .text, accumulates: true,
            "Fields to take away: a pattern for the name, and one for the value if wanted."),
        DirectiveSpec(
            "Replace", .text, accumulates: true,
            "Received, replaced by one that does not identify the user, or MIME-Version, without comments."
        ),
        DirectiveSpec(
            "Keep", .text, accumulates: true, "Fields to leave alone: patterns as for Remove."),
        DirectiveSpec(
            "DefaultRules", .boolean, default: "yes",
            "Whether the default rules follow those of the file."),
        DirectiveSpec(
            "PublicHostName", .text,
            "The host name in the fields that are written; the MTA's own by default."),
        DirectiveSpec(
            "HopLimit", .integer(5...1000), default: "50",
            "How many hops a message may have made; one with more is refused."),
        DirectiveSpec(
            "RewriteMessageID", .boolean, default: "no",
            "Replaces internal host names in Message-ID, In-Reply-To and References."),
        DirectiveSpec(
            "InternalDomains", .dataSet,
            "Domains that RewriteMessageID takes for internal, besides .lan, .local and the like."),
        DirectiveSpec(
            "RewriteDate", .boolean, default: "no", "Gives the Date field in UTC."),
        DirectiveSpec(
            "ReplaceOwnReceived", .boolean, default: "no",
            "Replaces the Received field of the MTA itself, which milters do not see."),
    ]

    /// Reads the directives; everything wrong is reported to the reader.
    public init(reading reader: ConfigurationReader) {
        var rules = Self.rules(reader)
        if reader.boolean("DefaultRules") {
            rules += RuleList.defaultRules
        } else if rules.isEmpty {
            reader.report(
                .warning, "DefaultRules", "there are no rules, so nothing is scrubbed",
                suggestion: "write rules, or remove the line")
        }
        self.rules = RuleList(rules)
        publicHostName = Self.hostName(reader)
        hopLimit = reader.integer("HopLimit") ?? hopLimit
        rewritesMessageIDs = reader.boolean("RewriteMessageID")
        internalDomains = reader.domainSet("InternalDomains") ?? DomainSet()
        rewritesDate = reader.boolean("RewriteDate")
        replacesOwnReceived = reader.boolean("ReplaceOwnReceived")
    }

    private static func rules(_ reader: ConfigurationReader) -> [ScrubRule] {
        let statements = reader.statements(of: ScrubRule.Action.allCases.map(\.rawValue))
        return statements.compactMap { statement in
            let action = ScrubRule.Action.allCases.first {
                $0.rawValue.equalsIgnoringASCIICase(statement.name)
            }
            guard let action else { return nil }
            do throws(ScrubRule.Fault) {
                return try ScrubRule(action, statement.value, at: statement.location)
            } catch {
                let start = statement.valueLocation
                let place = SourceLocation(
                    file: start.file, line: start.line,
                    column: start.column.map { $0 + error.offset })
                reader.report(
                    ConfigurationProblem(
                        .error, at: place, directive: action.rawValue, error.message,
                        suggestion: error.suggestion))
                return nil
            }
        }
    }

    private static func hostName(_ reader: ConfigurationReader) -> String? {
        guard let text = reader.text("PublicHostName") else { return nil }
        guard let name = try? DomainName(text), name.isHostName, name.labelCount > 0 else {
            reader.report(
                .error, "PublicHostName", "\"\(text)\" is not a host name",
                suggestion: "write it like mx.example.org")
            return nil
        }
        return name.ascii
    }
}
