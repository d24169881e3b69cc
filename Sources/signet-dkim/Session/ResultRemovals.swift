import DaemonKit
import MailAuth
import MailSyntax
import Milter

extension MessageContext {
    /// The Authentication-Results fields that go before ours is added (RFC 8601, section 5), the lowest first, as each deletion
    /// renumbers those below it.
    var resultRemovals: [MessageEdit] {
        let policy = configuration.results
        var occurrences: Set<Int> = []
        if !policy.keepsForgeries {
            for deletion in AuthenticationResults.deletions(
                in: header, claiming: [authservID], andUnknownVersions: false)
            {
                occurrences.insert(deletion.occurrence)
            }
            // Nobody knows what those say that were not read, so they are taken for claims.
            let known = header.count(named: .authenticationResults)
            occurrences.formUnion(known + 1..<known + 1 + unreadResults)
        }
        if !policy.removedHosts.isEmpty {
            for (index, position) in header.indices(named: .authenticationResults).enumerated()
            where isFromRemovedHost(position) {
                occurrences.insert(index + 1)
            }
        }
        return occurrences.sorted(by: >).map {
            .deleteHeader(name: FieldName.authenticationResults.text, occurrence: $0)
        }
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
