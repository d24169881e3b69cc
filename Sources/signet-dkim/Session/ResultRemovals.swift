import Configuration
import MailAuth
import MailSyntax
import Milter
import MilterDaemon

extension MessageContext where Configuration == DKIMConfiguration {
    /// The Authentication-Results fields that go before ours is added (RFC 8601, section 5), the lowest first, as each deletion
    /// renumbers those below it.
    var resultRemovals: [MessageEdit] {
        // Most mail has none.
        guard header.count(named: .authenticationResults) + unreadResults > 0 else { return [] }
        let policy = configuration.results
        var occurrences: Set<Int> = []
        if !policy.keepsForgeries { occurrences = forgedResults(claiming: authservID) }
        if !policy.removedHosts.isEmpty {
            for (index, position) in header.indices(named: .authenticationResults).enumerated()
            where isFromRemovedHost(position) {
                occurrences.insert(index + 1)
            }
        }
        return removals(of: occurrences)
    }

    /// Whether RemoveARFrom names the host of a field, and, short of RemoveARAll, the field speaks of DKIM.
    private func isFromRemovedHost(_ position: Int) -> Bool {
        let value = header.bytes.span.extracting(header.fields[position].value)
        let results = AuthenticationResults(parsing: value)
        // A queue id may follow the name (AuthservIDWithJobID).
        let name = results.authservID.text.prefix { $0 != "/" }
        guard let host = try? DomainName(name),
            configuration.results.removedHosts.contains(host)
        else { return false }
        return configuration.results.removesAllMethods
            || results.results.contains { $0.method.equalsIgnoringASCIICase("dkim") }
    }
}
