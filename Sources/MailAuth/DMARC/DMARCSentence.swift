internal import MailDNS
internal import MailSyntax

extension DMARCEvaluation {
    /// The result's cause, in one sentence without a full stop, for logs, comments and people.
    ///
    /// Printable ASCII whatever the message said or a domain published.
    public var sentence: String {
        if let deciding {
            guard case .several(let domains) = authorship else { return deciding.sentence }
            return "of \(domains.count) author domains, "
                + "\(deciding.domain.printable) decides: \(deciding.sentence)"
        }
        return switch authorship {
        case .one(let domain): "\(domain.printable) was not evaluated"
        case .several(let domains): "\(domains.count) author domains were not evaluated"
        case .tooMany(let count): "\(count) author domains are too many to evaluate"
        case .nobody(let reason): "no author domain: \(reason)"
        case .malformed(let error): "no author domain: \(error)"
        }
    }
}

extension DMARCAuthorEvaluation {
    /// The cause of the result, in one sentence without a full stop; printable ASCII.
    public var sentence: String {
        switch cause {
        case .noRecord:
            "\(domain.printable) has no DMARC record"
        case .severalRecords(let count):
            "\(domain.printable) has \(count) DMARC records, so that none of them counts"
        case .noValidPolicy(let place):
            "the DMARC record of \(place.printable) has no valid policy"
        case .dns(let question, let failure):
            question.failed(failure)
        case .undecided(let alignment):
            undecided(alignment)
        case .aligned(let alignment):
            "\(alignment.identifier.phrase), \(position(of: alignment))"
        case .notAligned:
            notAligned
        }
    }

    private func undecided(_ alignment: DMARCAlignment) -> String {
        if case .unknown(let question, let failure) = alignment.relation {
            return "whether \(alignment.identifier.domain.printable) is aligned with "
                + "\(domain.printable) is not known: \(question.failed(failure))"
        }
        return "\(alignment.identifier.phrase), \(position(of: alignment))"
    }

    /// What the message lacks: at most two identifiers are named.
    private var notAligned: String {
        let authentic = alignments.filter(\.identifier.isAuthenticated)
        guard !authentic.isEmpty else {
            return "neither SPF nor DKIM passed for \(domain.printable)"
        }
        let named = authentic.prefix(2).map {
            "\($0.identifier.phrase), \(position(of: $0))"
        }
        let more = authentic.count > 2 ? "; and \(authentic.count - 2) more" : ""
        return named.joined(separator: "; ") + more
    }

    private func position(of alignment: DMARCAlignment) -> String {
        switch alignment.relation {
        case .identical: "the author domain"
        case .sameOrganization(let organization) where organization != domain:
            "which is aligned with \(domain.printable) through \(organization.printable)"
        case .sameOrganization: "which is aligned with \(domain.printable)"
        case .none(.relaxed), .unknown: "which is not aligned with \(domain.printable)"
        case .none(.strict): "which is not \(domain.printable), as strict alignment demands"
        }
    }
}

extension DMARCIdentifier {
    fileprivate var phrase: String {
        let name = mechanism == .spf ? "SPF" : "DKIM"
        return switch result {
        case "pass": "\(name) passed for \(domain.printable)"
        case "temperror": "\(name) gave no result for now for \(domain.printable)"
        default: "\(name) gave \(result) for \(domain.printable)"
        }
    }
}

extension DNSQuestion {
    fileprivate func failed(_ failure: DNSFailure) -> String {
        "the DNS lookup of \(name.printable) \(type.mnemonic) failed (\(failure))"
    }
}
