internal import ReportStore

/// What was wrong with a policy record, in words for its owner: the "error" element (RFC 9990, section 3.1.5).
enum PolicyFaults {
    /// One sentence; nil where nothing was wrong.
    ///
    /// Only names of tags are in it, nothing that the record's owner has written.
    static func words(_ policy: Evaluation.Policy) -> String? {
        let invalid = Evaluation.Policy.invalid
        let values = [
            ("p", policy.p), ("sp", policy.sp), ("np", policy.np), ("adkim", policy.adkim),
            ("aspf", policy.aspf), ("fo", policy.failureOptions),
        ].filter { $0.1 == invalid }.map(\.0)
        let lists = [("rua", policy.reportAddresses), ("ruf", policy.failureAddresses)]
            .filter { $0.1.contains(invalid) }.map(\.0)
        var sentences: [String] = []
        if !values.isEmpty {
            let isPolicy = values.contains { ["p", "sp", "np"].contains($0) }
            sentences.append(
                "not valid, and taken as absent: \(values.joined(separator: ", "))"
                    + (isPolicy ? "; the policy counts as none (RFC 9989, section 4.10.1)" : ""))
        }
        if !lists.isEmpty {
            sentences.append(
                "with addresses that are not valid, and passed over: \(lists.joined(separator: ", "))"
            )
        }
        return sentences.isEmpty
            ? nil : "DMARC Policy Record has tags \(sentences.joined(separator: "; and tags "))"
    }
}
