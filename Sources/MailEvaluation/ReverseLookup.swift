internal import MailAuth
internal import MailDNS
package import MailSyntax
internal import Threads

/// The look-up of the client's name, confirmed by its addresses: iprev (RFC 8601, section 3).
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
    func finish(deadline: MonotonicTime) -> ReverseOutcome {
        guard let pointer else { return ReverseOutcome(client, .permerror) }
        let names: [DomainName]
        switch pointer.wait(until: deadline) {
        case .records(let records, _):
            names = records.compactMap { if case .name(let name) = $0 { name } else { nil } }
        // RFC 8601, section 2.7.3: "no PTR record" is a permanent error.
        case .noData, .nameError: return ReverseOutcome(client, .permerror)
        case .failure: return ReverseOutcome(client, .temperror)
        }
        let type: RecordType = client.bitWidth == 32 ? .a : .aaaa
        let pending = names.prefix(Self.nameLimit).map {
            ($0, resolver.begin(DNSQuestion($0, type), deadline: deadline))
        }
        var isUncertain = false
        var confirmed: DomainName?
        for (name, answer) in pending where confirmed == nil {
            switch answer.wait(until: deadline) {
            case .records(let records, _):
                if records.contains(.address(client)) { confirmed = name }
            case .failure: isUncertain = true
            case .noData, .nameError: break
            }
        }
        for (_, answer) in pending { answer.cancel() }
        if let confirmed { return ReverseOutcome(client, .pass, confirmed) }
        return isUncertain
            ? ReverseOutcome(client, .temperror) : ReverseOutcome(client, .fail, names.first)
    }

    /// Gives up.
    func cancel() { pointer?.cancel() }
}

/// What the look-up of the client's name came to.
package struct ReverseOutcome: Sendable {
    /// The result's word (RFC 8601, section 2.7.3).
    package enum Status: String, Sendable {
        case pass, fail, temperror, permerror
    }

    /// The client's address.
    package let client: IPAddress
    /// The result.
    package let status: Status
    /// The confirmed name, or the first of those that do not lead back to the client.
    package let name: DomainName?

    init(_ client: IPAddress, _ status: Status, _ name: DomainName? = nil) {
        self.client = client
        self.status = status
        self.name = name
    }
}
