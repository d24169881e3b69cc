internal import ReportStore
internal import SigningLog

/// Which signatures of a domain may really be its own: anybody can write its name into one that does not verify.
struct OwnSignatures {
    private let ledger: SigningLedger
    /// The selectors whose signatures verify somewhere: others sign for the domain too.
    private var verified: Set<[String]> = []

    /// By what was signed here, and by what all reporters found.
    init(_ ledger: SigningLedger, _ verdicts: some Sequence<ReceivedVerdict>) {
        self.ledger = ledger
        for verdict in verdicts {
            for signature in verdict.signatures where signature.result == "pass" {
                verified.insert([signature.domain, signature.selector])
            }
        }
    }

    /// Whether a signature that a reporter found on some days may be the domain's own.
    func mayHave(_ signature: ReceivedVerdict.Signature, in days: ClosedRange<Int64>) -> Bool {
        !ledger.covers(days.lowerBound)
            || ledger.hasSigned(domain: signature.domain, selector: signature.selector, in: days)
            || verified.contains([signature.domain, signature.selector])
    }
}
