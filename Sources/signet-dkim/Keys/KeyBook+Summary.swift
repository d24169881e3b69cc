import Configuration
import DomainKeys
import MailSyntax

extension KeyBook {
    /// The domains that are signed, each with the selectors of its keys: `example.org (mail, mail-ed25519)`; nil where nothing is.
    var summary: String? {
        let folder = directory.map { "the domains of \($0.cache.tree.root)" }
        let parts = [plannedSummary, folder].compactMap(\.self)
        return parts.isEmpty ? nil : parts.joined(separator: ", and ")
    }

    private var plannedSummary: String? {
        let groups: [(domain: String, selectors: [String])]
        switch plan {
        case .nothing: return nil
        case .domains(let set, _, let keys):
            let selectors = keys.map(\.selector.ascii)
            groups = set.entries.map { ($0.key == "*" ? "every domain" : $0.key, selectors) }
        case .tables(_, let book):
            var byDomain: [String: [String]] = [:]
            for key in book.values.joined() {
                let domain = key.domain?.ascii ?? "the sender's domain"
                byDomain[domain, default: []].append(key.selector.ascii)
            }
            groups = byDomain.map { ($0.key, Set($0.value).sorted()) }.sorted { $0.0 < $1.0 }
        }
        guard !groups.isEmpty else { return nil }
        let shown = groups.prefix(Self.shownDomains).map {
            "\($0.domain) (\($0.selectors.joined(separator: ", ")))"
        }
        let rest = groups.count - shown.count
        return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more domains" : "")
    }

    private static let shownDomains = 5
}
