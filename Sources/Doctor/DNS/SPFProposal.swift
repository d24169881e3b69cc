internal import MailAuth
internal import MailDNS
internal import MailSyntax

/// The SPF record that a domain should have: the published one with everything mended that one line can mend.
///
/// It is made once, so that all findings about a record propose the same.
final class SPFProposal {
    /// Whose record it is.
    let domain: DomainName
    /// The published SPF records, each as its character strings.
    let published: [[[UInt8]]]
    private let host: HostView
    private let dns: DNSLookup

    /// Looks at what is published.
    init(_ domain: DomainName, _ host: HostView, _ dns: DNSLookup) throws(DNSTrouble) {
        (self.domain, self.host, self.dns) = (domain, host, dns)
        published = try dns.texts(domain).filter { SPFRecord.hasVersion(Array($0.joined())) }
    }

    /// The mend that publishes it.
    var mend: Mend {
        .publish(.text(domain, text), insteadOf: ZoneRecord.texts(domain, published))
    }

    /// The record; where the published one has a mistake that nobody but its author can mend, as it is.
    private lazy var text: String = {
        guard let first = published.first else { return SPFRecordLine.permitting(host.addresses) }
        let whole =
            published.count == 1
            ? Self.joined(first) : SPFText.merged(published.map { Array($0.joined()) })
        guard let record = try? SPFRecord(parsing: Array(whole.utf8)) else { return whole }
        return withoutRedundancy(withOwnAddresses(Self.shaped(whole, record)))
    }()

    /// A record's strings as one; with blanks where they meet if it is none without.
    private static func joined(_ strings: [[UInt8]]) -> String {
        let octets = Array(strings.joined())
        let apart = strings.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
        let isSplit =
            (try? SPFRecord(parsing: octets)) == nil
            && (try? SPFRecord(parsing: Array(apart.utf8))) != nil
        return isSplit
            ? SPFText.changing(Array(apart.utf8)) { $0 } : String(decoding: octets, as: UTF8.self)
    }

    /// A record with an end that excludes others, nothing behind it, and no "ptr".
    private static func shaped(_ text: String, _ record: SPFRecord) -> String {
        let pointers = record.directives.filter {
            if case .ptr = $0.mechanism { true } else { false }
        }.map { record.text(of: $0) }
        var result = text
        if record.hasAll { result = SPFText.endingAtAll(Array(result.utf8)) }
        result = SPFText.changing(Array(result.utf8)) { term in
            if pointers.contains(term) { return nil }
            return SPFText.isAll(term) && !"-~?".contains(term.first ?? "+") ? "~all" : term
        }
        guard !record.hasAll, record.redirect == nil else { return result }
        return SPFText.adding(["~all"], to: Array(result.utf8))
    }

    /// A record with each own address that would not pass.
    private func withOwnAddresses(_ text: String) -> String {
        guard host.relayhost == nil else { return text }
        let missing = host.addresses.filter { address in
            let outcome = lookup(text).spf(host.mailRequest(of: domain, from: address))
            return [.none, .neutral, .softfail, .fail].contains(outcome.result)
        }
        return SPFText.adding(missing.map(\.spfMechanism), to: Array(text.utf8))
    }

    /// A record without terms that match nothing that others do not.
    private func withoutRedundancy(_ text: String) -> String {
        guard let record = try? SPFRecord(parsing: Array(text.utf8)),
            let pairs = try? SPFRedundancy(domain: domain, record: record, dns: lookup(text))
                .pairs()
        else { return text }
        let unwanted = Set(pairs.map(\.place))
        let terms = record.directives.enumerated().filter { !unwanted.contains($0.offset) }
            .map { record.text(of: $0.element) }
        return SPFText.keeping(terms, of: Array(text.utf8))
    }

    /// The DNS as it would be with a record.
    private func lookup(_ text: String) -> DNSLookup {
        let resolver = AmendedResolver(
            others: dns.resolver, name: domain, strings: [Array(text.utf8)])
        return DNSLookup(resolver, time: dns.time, seconds: dns.seconds)
    }
}

extension HostView {
    /// The HELO name for an evaluation of SPF.
    var heloOctets: [UInt8] { Array((heloName ?? "unknown").utf8) }

    /// What a receiver evaluates for mail of a domain from an address of this host.
    func mailRequest(of domain: DomainName, from address: IPAddress) -> SPFRequest {
        .mailFrom(
            Array("postmaster@\(domain.ascii)".utf8), helo: heloOctets, client: address)
    }
}
