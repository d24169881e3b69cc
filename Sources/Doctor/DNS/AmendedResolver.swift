internal import MailDNS
internal import MailSyntax
internal import Threads

/// The DNS as it is, but for the TXT record of one name: what would come of a record that is not published yet.
struct AmendedResolver: DNSResolver {
    /// The DNS as it is.
    let others: any DNSResolver
    /// Whose record is another one.
    let name: DomainName
    /// That record's strings.
    let strings: [[UInt8]]

    func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        guard question.name == name, question.type == .txt else {
            return others.begin(question, deadline: deadline)
        }
        return .ready(.records([.text(strings)], .insecure))
    }
}
