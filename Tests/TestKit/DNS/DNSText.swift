public import MailDNS
internal import MailSyntax

extension DNSQuestion {
    /// A question in the form `mail.example.com MX`.
    public static func test(_ text: String) throws -> DNSQuestion {
        let words = text.split(separator: " ")
        struct NoType: Error {}
        guard words.count == 2,
            let type = RecordType.allCases.first(where: { $0.mnemonic == words[1] })
        else { throw NoType() }
        return DNSQuestion(try DomainName(words[0]), type)
    }
}

extension DNSAnswer {
    /// The answer in one line, as a table of tests has it.
    public var line: String {
        switch self {
        case .records(let records, let status):
            records.map(\.line).joined(separator: ", ") + status.mark
        case .noData(let status): "NODATA" + status.mark
        case .nameError(let status): "NXDOMAIN" + status.mark
        case .failure(let failure): "\(failure)"
        }
    }

    /// The same, with the records in the order of their text: servers shuffle them.
    public var sortedLine: String {
        guard case .records(let records, let status) = self else { return line }
        return records.map(\.line).sorted().joined(separator: ", ") + status.mark
    }
}

extension DNSSECStatus {
    fileprivate var mark: String { self == .secure ? " (secure)" : "" }
}

extension DNSRecord {
    /// The record's data in one line.
    public var line: String {
        switch self {
        case .address(let address): address.description
        case .mx(let preference, let exchange): "mx \(preference) \(exchange)"
        case .srv(let priority, let weight, let port, let target):
            "srv \(priority) \(weight) \(port) \(target)"
        case .name(let name): "name \(name)"
        case .text(let strings):
            "text ["
                + strings.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "|") + "]"
        }
    }
}
