/// How much a record tells of people.
package enum FlightPrivacy: String, Sendable, CaseIterable {
    /// What the MTA's own log tells, too.
    case full
    /// Local parts, logins and the client are replaced by a code, the same each time: who knows an
    /// address finds its messages.
    case hashed
    /// Local parts, logins and the client are left out.
    case strict
}

/// Takes out of an entry what the privacy setting does not let through.
///
/// The same values stand in texts, too: in the reason for a refusal, in a reply that quotes the
/// domain's explanation, in names that SPF's macros have made (RFC 7208, section 7). They are
/// replaced wherever they stand.
struct FlightRedactor: Sendable {
    private let privacy: FlightPrivacy
    private let code: FlightCode

    init(_ privacy: FlightPrivacy, _ code: FlightCode) {
        self.privacy = privacy
        self.code = code
    }

    /// The entry as it may be written.
    func redacted(_ entry: FlightEntry) -> FlightEntry {
        guard privacy != .full else { return entry }
        let secrets = Self.secrets(of: entry)
        return entry.mapped { item in
            switch item.key {
            case .clientAddress, .clientName, .helo, .login: replacement(for: item.text)
            case .sender, .recipient: address(item.text)
            case .messageID: replacement(for: item.text)
            case .question:
                // A name may be made of anything that is known of the client.
                privacy == .strict && !Self.isHarmless(item.text, secrets)
                    ? nil : replaced(item.text, secrets)
            case .rule, .reason, .result, .reply, .override, .unknown, .shadow, .difference:
                replaced(item.text, secrets)
            // It is made of the message's own octets.
            case .evidence: nil
            // Words of ours, and names of domains and selectors.
            case .queueID, .tls, .listener, .author, .signature, .generation, .step, .verdict,
                .edit, .stage:
                item.text
            }
        }
    }

    private func replacement(for text: String) -> String? {
        privacy == .hashed ? code.text(of: text) : nil
    }

    /// An address without its local part.
    private func address(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@") else { return text == "<>" ? text : "(hidden)" }
        let domain = text[text.index(after: at)...]
        return privacy == .hashed ? "\(code.text(of: text))@\(domain)" : "(hidden)@\(domain)"
    }

    /// What must not stand in any text of an entry, the longest first.
    private static func secrets(of entry: FlightEntry) -> [String] {
        var found: Set<String> = []
        for key in [FlightKey.clientAddress, .clientName, .helo, .login, .messageID] {
            found.formUnion(entry.all(key))
        }
        for text in entry.all(.sender) + entry.all(.recipient) {
            if let at = text.lastIndex(of: "@") { found.insert(String(text[..<at])) }
        }
        for address in entry.all(.clientAddress) {
            found.insert(address.split(separator: ".").reversed().joined(separator: "."))
            // The form of SPF's macro "i" for IPv6, and of ip6.arpa.
            let digits = nibbles(address)
            if digits.count == 32 {
                found.insert(digits.map(String.init).joined(separator: "."))
                found.insert(digits.reversed().map(String.init).joined(separator: "."))
            }
        }
        return found.filter { !$0.isEmpty }.sorted { $0.utf8.count > $1.utf8.count }
    }

    /// The 32 digits of an IPv6 address; none where it is no such address.
    private static func nibbles(_ address: String) -> [Character] {
        guard address.contains(":"), !address.contains(".") else { return [] }
        let halves = address.split(
            separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
        func digits(_ text: Substring) -> [Character] {
            text.split(separator: ":").flatMap { group in
                [Character](repeating: "0", count: max(0, 4 - group.count)) + Array(group)
            }
        }
        guard let first = halves.first else { return [] }
        let head = digits(first)
        let tail = halves.count == 2 ? digits(halves[1]) : []
        let gap = max(0, 32 - head.count - tail.count)
        return head + [Character](repeating: "0", count: halves.count == 2 ? gap : 0) + tail
    }

    private func replaced(_ text: String, _ secrets: [String]) -> String {
        var text = withoutLocalParts(text)
        for secret in secrets { text = Self.replacing(secret, in: text) }
        return text
    }

    /// Replaces a value wherever it stands as a word of its own, whatever its case.
    private static func replacing(_ secret: String, in text: String) -> String {
        let (haystack, needle) = (Array(text.utf8), Array(secret.utf8))
        guard needle.count <= haystack.count else { return text }
        var result: [UInt8] = []
        var position = 0
        while position < haystack.count {
            let end = position + needle.count
            if end <= haystack.count, isEqual(haystack[position..<end], needle),
                position == 0 || !isWord(haystack[position - 1]),
                end == haystack.count || !isWord(haystack[end])
            {
                result += "(hidden)".utf8
                position = end
            } else {
                result.append(haystack[position])
                position += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Replaces what stands before any "@": the local parts of addresses that the entry does not name.
    private func withoutLocalParts(_ text: String) -> String {
        guard text.utf8.contains(0x40) else { return text }
        var result: [UInt8] = []
        for octet in text.utf8 {
            if octet == 0x40 {
                var local: [UInt8] = []
                while let last = result.last, Self.isLocal(last) {
                    local.append(result.removeLast())
                }
                // "*@example.org" is a pattern of the configuration's.
                result += local == [0x2A] ? local : local.isEmpty ? [] : Array("(hidden)".utf8)
            }
            result.append(octet)
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func isHarmless(_ question: String, _ secrets: [String]) -> Bool {
        let text = question.lowercased()
        return !text.contains(".arpa") && !secrets.contains { text.contains($0.lowercased()) }
    }

    private static func isEqual(_ left: ArraySlice<UInt8>, _ right: [UInt8]) -> Bool {
        zip(left, right).allSatisfy { lower($0) == lower($1) }
    }

    private static func lower(_ octet: UInt8) -> UInt8 {
        0x41...0x5A ~= octet ? octet | 0x20 : octet
    }

    private static func isWord(_ octet: UInt8) -> Bool {
        0x30...0x39 ~= octet || 0x61...0x7A ~= lower(octet) || octet >= 0x80
    }

    /// Whether an octet can stand in a local part as it is written in a line of text.
    private static func isLocal(_ octet: UInt8) -> Bool {
        isWord(octet) || "!#$%&'*+-/=?^_`{|}~.\"\\".utf8.contains(octet)
    }
}
