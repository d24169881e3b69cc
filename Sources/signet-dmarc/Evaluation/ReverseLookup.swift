import MailAuth
import MailDNS
import MailSyntax
import Threads

/// The name of the client, confirmed by its addresses: iprev (RFC 8601, section 3).
struct ReverseLookup: Sendable {
    private let client: IPAddress
    private let pointer: PendingAnswer?
    private let resolver: any DNSResolver

    /// The most names whose addresses are asked for, as SPF has it (RFC 7208, section 4.6.4).
    private static let nameLimit = 10

    /// Begins: asks for the names.
    init(of client: IPAddress, resolver: any DNSResolver, deadline: MonotonicTime) {
        self.client = client.unmapped
        self.resolver = resolver
        pointer = (try? DomainName(self.client.reverseName)).map {
            resolver.begin(DNSQuestion($0, .ptr), deadline: deadline)
        }
    }

    /// Waits for the names, and compares their addresses with the client's.
    func finish(deadline: MonotonicTime) -> MethodResult {
        guard let pointer else { return result("permerror", nil) }
        let names: [DomainName]
        switch pointer.wait() {
        case .records(let records, _):
            names = records.compactMap { if case .name(let name) = $0 { name } else { nil } }
        // RFC 8601, section 2.7.3: "no PTR record" is a permanent error.
        case .noData, .nameError: return result("permerror", "no name for \(client)")
        case .failure: return result("temperror", nil)
        }
        let type: RecordType = client.bitWidth == 32 ? .a : .aaaa
        let pending = names.prefix(Self.nameLimit).map {
            ($0, resolver.begin(DNSQuestion($0, type), deadline: deadline))
        }
        var isUncertain = false
        var confirmed: DomainName?
        for (name, answer) in pending where confirmed == nil {
            switch answer.wait() {
            case .records(let records, _):
                if records.contains(.address(client)) { confirmed = name }
            case .failure: isUncertain = true
            case .noData, .nameError: break
            }
        }
        for (_, answer) in pending { answer.cancel() }
        if let confirmed { return result("pass", confirmed.ascii) }
        return isUncertain ? result("temperror", nil) : result("fail", names.first?.ascii)
    }

    /// Gives up.
    func cancel() { pointer?.cancel() }

    private func result(_ word: String, _ comment: String?) -> MethodResult {
        .iprev(word, comment: comment, address: client.description)
    }
}
