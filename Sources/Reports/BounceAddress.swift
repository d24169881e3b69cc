internal import MailCrypto
public import MailSyntax
package import ReportStore

/// The envelope senders of reports: one for each delivery, so that a bounce says by its address alone what has bounced.
///
/// `LOCAL+ID.POSITION.CODE@DOMAIN`: the beginning of the Report-ID, the place of the address in the policy record, and a keyed hash
/// over both: whoever does not have the mail cannot make up a bounce of it.
public struct BounceAddress: Sendable {
    private let local: String
    private let domain: String
    private let key: [UInt8]

    /// How many characters of the Report-ID are in an address.
    private static let idLength = 10
    /// How many octets of the hash are.
    private static let codeLength = 6

    /// Creates the addresses below one.
    ///
    /// - Parameters:
    ///   - address: the address that bounces come to.
    ///   - key: the key of the store.
    public init?(_ address: EnvelopeAddress, key: String) {
        guard let domain = address.domain, !key.isEmpty else { return nil }
        local = String(decoding: address.localPart, as: UTF8.self)
        self.domain = domain.ascii
        self.key = Array(key.utf8)
    }

    /// The envelope sender of a delivery.
    package func sender(of delivery: Delivery) -> String {
        let id = delivery.report.prefix(Self.idLength)
        return "\(local)+\(id).\(delivery.position).\(code(of: delivery))@\(domain)"
    }

    /// The delivery that an address is the envelope sender of; nil where it is none of ours.
    ///
    /// - Parameters:
    ///   - address: an address that a bounce has come to; case does not matter.
    ///   - outbox: the reports.
    /// - Returns: the delivery.
    /// - Throws: why the store cannot be read.
    package func delivery(
        of address: String, in outbox: any ReportOutbox
    ) throws(SinkError) -> Delivery? {
        let address = address.asciiLowercased
        let begin = "\(local.asciiLowercased)+"
        guard address.hasPrefix(begin), let at = address.lastIndex(of: "@"),
            address[at...].dropFirst() == domain.asciiLowercased
        else { return nil }
        let parts = address[..<at].dropFirst(begin.count).split(
            separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].utf8.count == Self.idLength,
            parts[0].utf8.allSatisfy(\.isASCIIAlphanumeric), let position = Int64(parts[1])
        else { return nil }
        return try outbox.deliveries(ofReportsBeginning: String(parts[0])).first {
            $0.position == position && code(of: $0) == parts[2]
        }
    }

    private func code(of delivery: Delivery) -> String {
        let text = "\(delivery.report) \(delivery.position)"
        return HMAC.code(of: Array(text.utf8), key: key).prefix(Self.codeLength).map {
            ($0 < 16 ? "0" : "") + String($0, radix: 16)
        }.joined()
    }
}
