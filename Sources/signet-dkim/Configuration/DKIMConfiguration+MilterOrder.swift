import Configuration
import MailSyntax

extension DKIMConfiguration {
    /// Warns if a DMARC filter comes before this verifier: its results stand under our name, so they are removed as forged ones are
    /// (RFC 8601, section 5).
    static func checkMilterOrder(_ reader: ConfigurationReader, authservID: String?) {
        if let other = NeighbourConfiguration("dmarc", besides: reader) {
            let name = other.value(of: "AuthservID")
            guard (name ?? "").equalsIgnoringASCIICase(authservID ?? "") else { return }
        }
        MilterLists(reader)?.check(reader) { milters in
            milters.before(where: MilterLists.isDMARC).map {
                MilterLists.Fault(
                    "\($0) comes before signet-dkim, which verifies and removes its results: those of "
                        + "SPF and DMARC are lost",
                    suggestion: "write Mode s in dkim.conf, or name signet-dkim before it")
            }
        }
    }
}
