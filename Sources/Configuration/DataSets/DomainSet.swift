public import MailSyntax

/// A set of domains.
///
/// `example.com` is the name alone, `.example.com` all names below it, `!` takes names out again, and under `refile:` an entry
/// may be a pattern. The most specific entry that speaks of a name decides.
public struct DomainSet: Sendable {
    private var names = NameMatcher()

    /// The empty set.
    public init() {}

    /// Reads the entries of a data set; what is wrong with one is handed to `report` and the entry left out.
    public init(_ set: DataSet, directive: String, report: (ConfigurationProblem) -> Void) {
        for entry in set.entries {
            let negatable = NegatableEntry(entry.key)
            do throws(NameEntry.Fault) {
                switch try NameEntry(negatable.text, matching: set.matching) {
                case .glob(let glob): names.insert(glob, isMember: negatable.isMember)
                case .name(let name): names.insert(name, isMember: negatable.isMember)
                }
            } catch {
                report(
                    ConfigurationProblem(
                        error.severity(for: NegatableEntry(entry.key)), at: entry.location,
                        directive: directive,
                        error.message,
                        suggestion: error.suggestion))
            }
        }
    }

    /// Whether there is nothing in it.
    public var isEmpty: Bool { names.isEmpty }

    /// Whether a domain is in the set.
    public func contains(_ domain: DomainName) -> Bool {
        names.decision(for: domain.ascii) ?? false
    }
}

extension ConfigurationReader {
    /// The set of domains that a directive names; nil when there is neither a value nor a default.
    public func domainSet(_ directive: String) -> DomainSet? {
        dataSet(directive).map { set in
            DomainSet(set, directive: schema[directive]?.name ?? directive) { report($0) }
        }
    }
}
