internal import MailDNS

extension ResolverLoad.Ending {
    /// What an answer says about the servers of its zone: libunbound tells of a server that does
    /// not answer as of one that answers SERVFAIL.
    init(_ answer: DNSAnswer) {
        switch answer {
        case .records, .noData, .nameError, .failure(.malformed), .failure(.bogus): self = .answered
        case .failure(.serverFailure), .failure(.timeout): self = .silent
        case .failure(.resolver), .failure(.noServer): self = .abandoned
        }
    }
}

extension DNSFailure {
    /// What a question that is not asked has for an answer.
    init(_ refusal: ResolverLoad.Refusal) {
        switch refusal {
        case .full: self = .resolver("too many questions are under way")
        case .domainFull: self = .resolver("too many questions are under way for one domain")
        // It would have had none either.
        case .silent: self = .timeout
        }
    }
}
