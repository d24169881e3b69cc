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
        guard let host = try? DomainName(results.authservID.text),
            configuration.results.removedHosts.contains(host)
        else { return false }
        return configuration.results.removesAllMethods
            || results.results.contains { $0.method.equalsIgnoringASCIICase("dkim") }
    }
}
