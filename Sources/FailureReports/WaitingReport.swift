internal import MailSyntax

/// A failure report on its way out: made, and not yet handed to everybody.
package struct WaitingReport: Hashable, Sendable {
    /// What tells it from all others: letters and digits.
    package let id: String
    /// When it was made, in seconds since 1970.
    package let created: Int64
    /// The domain whose record asks for it; nil where nobody asks but the administrator.
    package let policyDomain: String?
    /// The envelope's sender.
    package let sender: String
    /// The addresses of "ruf" that it has not been handed over for, as published.
    package var addresses: [String]
    /// The administrator's addresses that it has not been handed over for.
    package var copies: [String]
    /// The mail without its "To".
    package let mail: [UInt8]

    /// Creates a report.
    package init(
        id: String, created: Int64, policyDomain: String?, sender: String, addresses: [String],
        copies: [String], mail: [UInt8]
    ) {
        self.id = id
        self.created = created
        self.policyDomain = policyDomain
        self.sender = sender
        self.addresses = addresses
        self.copies = copies
        self.mail = mail
    }

    private static let mark = "signet-failure-report 1"

    /// The report as its file has it: lines about its way, an empty line, the mail.
    var octets: [UInt8] {
        var lines = [Self.mark, "id \(id)", "created \(created)", "sender \(sender)"]
        if let policyDomain { lines.append("domain \(policyDomain)") }
        lines += addresses.map { "to \($0)" } + copies.map { "copy \($0)" }
        return Array((lines.joined(separator: "\n") + "\n\n").utf8) + mail
    }

    /// Reads a file; nil where it is none that was written here.
    init?(parsing octets: [UInt8]) {
        var (id, created, sender): (String?, Int64?, String?) = (nil, nil, nil)
        var domain: String?
        var (addresses, copies): ([String], [String]) = ([], [])
        var position = 0
        while let end = octets[position...].firstIndex(of: 0x0A) {
            let line = String(decoding: octets[position..<end], as: UTF8.self)
            let isFirst = position == 0
            position = end + 1
            if line.isEmpty { break }
            if isFirst {
                guard line == Self.mark else { return nil }
                continue
            }
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            let value = String(parts[1])
            switch parts[0] {
            case "id": id = value
            case "created": created = Int64(value)
            case "sender": sender = value
            case "domain": domain = value
            case "to": addresses.append(value)
            case "copy": copies.append(value)
            default: return nil
            }
        }
        guard let id, let created, let sender, position < octets.count else { return nil }
        self.init(
            id: id, created: created, policyDomain: domain, sender: sender, addresses: addresses,
            copies: copies, mail: Array(octets[position...]))
    }
}
