import Configuration
import MailSyntax

extension DMARCConfiguration {
    /// Warns if a verifying DKIM filter comes after this one.
    ///
    /// It removes our results as it removes forged ones, for they stand under its name (RFC 8601, section 5). One that only signs
    /// does no harm.
    static func checkMilterOrder(_ reader: ConfigurationReader, authservID: String?) {
        if let other = NeighbourConfiguration("dkim", besides: reader) {
            let name = other.value(of: "AuthservID")
            guard (name ?? "").equalsIgnoringASCIICase(authservID ?? ""),
                other.value(of: "Mode")?.asciiLowercased != "s"
            else { return }
        }
        MilterLists(reader)?.check(reader) { milters in
            milters.after(where: MilterLists.isSigner).map {
                MilterLists.Fault(
                    "\($0) comes after signet-dmarc, and removes its results if it verifies: those of "
                        + "SPF and DMARC are lost",
                    suggestion: "write Mode s in dkim.conf, or name signet-dmarc last")
            }
        }
    }
}
