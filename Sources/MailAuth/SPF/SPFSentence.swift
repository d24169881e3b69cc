internal import MailDNS
internal import MailSyntax

extension SPFOutcome {
    /// The result and its reason, in one sentence without a full stop, for logs, replies and
    /// people.
    ///
    /// Printable ASCII whatever the client said or the domain published.
    public var sentence: String {
        guard let visit, let domain = request.domain else {
            let name = request.identity == .helo ? "HELO name" : "sender's domain"
            return
                "the \(name) \"\(printable(request.senderDomain))\" is not one that can have an SPF record"
        }
        let client = request.client.description
        switch result {
        case .none:
            return "\(domain.printable) has no SPF record"
        case .neutral:
            return
                "\(domain.printable) does not say whether \(client) may send its mail\(reason(visit))"
        case .pass:
            return "\(client) is allowed to send mail for \(domain.printable)\(reason(visit))"
        case .fail:
            return "\(client) is not allowed to send mail for \(domain.printable)\(reason(visit))"
        case .softfail:
            return
                "\(client) is probably not allowed to send mail for \(domain.printable)\(reason(visit))"
        case .temperror:
            return
                "the SPF policy of \(domain.printable) could not be evaluated for now: \(trouble)"
        case .permerror:
            return "the SPF policy of \(domain.printable) cannot be evaluated: \(trouble)"
        }
    }

    private var trouble: String { problem?.description ?? "no reason is known" }

    /// What decided, and where it stands.
    private func reason(_ visit: SPFVisit) -> String {
        guard let decision else { return ": no mechanism of its record matches" }
        let text = printable(Array(decision.mechanism.utf8))
        return ": \"\(text)\" in the SPF record of \(decision.domain.printable)"
    }
}

extension SPFProblem: CustomStringConvertible {
    /// What is wrong, as part of a sentence; printable ASCII.
    public var description: String {
        switch self {
        case .syntax(let error, let domain):
            return "the SPF record of \(domain.printable) has \(error)"
        case .severalRecords(let domain):
            return "\(domain.printable) has more than one SPF record"
        case .tooManyLookups(let limit):
            return "more than \(limit) terms ask the DNS"
        case .tooManyVoidLookups(let limit):
            return "more than \(limit) DNS lookups found nothing"
        case .tooManyMailExchangers(let domain, let limit):
            return "\(domain.printable) has more than \(limit) mail exchangers"
        case .tooManyQuestions(let limit):
            return "more than \(limit) questions to the DNS are needed"
        case .noRecord(let target):
            return "\(printable(Array(target.utf8))), which the policy refers to, has no SPF record"
        case .dns(let question, let failure):
            return "the DNS lookup of \(question.name.printable) \(question.type.mnemonic) failed "
                + "(\(failure))"
        case .deadline:
            return "the DNS took too long"
        }
    }
}

extension DomainName {
    /// The name with everything but printable ASCII as "?".
    var printable: String {
        // Nearly every name is: no copy then.
        let octets = ascii.utf8.span
        let isPlain =
            octets.count <= 100 && octets.isPrintableASCII && octets.firstIndex(of: 0x22) == nil
        return isPlain ? ascii : MailAuth.printable(Array(ascii.utf8))
    }
}

/// Text for people: at most 100 octets, with everything but printable ASCII, and quotes, as "?".
private func printable(_ text: [UInt8]) -> String {
    let shown = text.prefix(100).map { isPrintable($0) ? $0 : 0x3F }
    return String(decoding: shown, as: UTF8.self) + (text.count > 100 ? "..." : "")
}

private func isPrintable(_ octet: UInt8) -> Bool { 0x20...0x7E ~= octet && octet != 0x22 }
