import MailSyntax

/// What the envelope of a saved message was.
struct EnvelopeFacts {
    /// The SMTP client's address.
    let address: IPAddress
    /// The name that it said in HELO.
    let helo: String
    /// The reverse-path, with or without angle brackets.
    let sender: String
}

/// Reading the envelope back out of the trace fields (RFC 5321, section 4.4).
///
/// Trust: only the fields that our own mail server wrote, on top, are true; a person asked for them to be believed.
extension EnvelopeFacts {
    /// Reads the topmost Received field that names a client, `from HELO (NAME [ADDRESS])` as Postfix writes it, and Return-Path.
    ///
    /// Fields of local hops are passed over. Nil if no field names a client.
    init?(trace header: HeaderSection) {
        for position in header.indices(named: .received) {
            guard let (helo, address) = Self.client(in: header.value(of: position)) else {
                continue
            }
            self.address = address
            self.helo = helo
            let path = header.indices(named: .returnPath).first
            sender = path.map { Self.text(header.value(of: $0)) } ?? ""
            return
        }
        return nil
    }

    private static func client(in value: ArraySlice<UInt8>) -> (helo: String, address: IPAddress)? {
        let words = text(value).split { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" }
        guard words.count > 2, words[0].lowercased() == "from" else { return nil }
        let comment = words[2...].prefix(4).joined(separator: " ").prefix { $0 != ")" }
        guard let open = comment.lastIndex(of: "["),
            let close = comment[open...].firstIndex(of: "]")
        else { return nil }
        let inner = comment[comment.index(after: open)..<close]
        let literal = inner.lowercased().hasPrefix("ipv6:") ? inner.dropFirst(5) : inner
        guard let address = IPAddress(String(literal)), !address.isLoopback else { return nil }
        return (String(words[1]), address)
    }

    private static func text(_ value: ArraySlice<UInt8>) -> String {
        let text = String(decoding: value, as: UTF8.self)
        let start = text.drop { $0.isWhitespace }
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }
}
