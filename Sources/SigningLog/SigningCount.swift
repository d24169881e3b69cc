/// What is counted of signatures: no message, and no person.
package struct SigningCount: Hashable, Sendable {
    /// The UTC day, in days since 1970.
    package var day: Int64
    /// The signing domain.
    package var domain: String
    /// The selector.
    package var selector: String
    /// The algorithm, such as rsa-sha256.
    package var algorithm: String
    /// The domain of a recipient; empty where there are too many to tell them apart.
    package var recipient: String

    /// What is counted.
    package init(
        day: Int64, domain: String, selector: String, algorithm: String, recipient: String
    ) {
        self.day = day
        self.domain = domain
        self.selector = selector
        self.algorithm = algorithm
        self.recipient = recipient
    }
}

/// How often.
package struct SigningNumbers: Hashable, Sendable {
    /// How many messages have the signature: for each domain that a message goes to it counts once.
    package var signatures: Int64 = 0
    /// How many of them are counted here as messages: a message with several signatures of a domain counts with the first alone.
    package var messages: Int64 = 0

    /// Numbers.
    package init(signatures: Int64 = 0, messages: Int64 = 0) {
        self.signatures = signatures
        self.messages = messages
    }

    /// Adds others; the sum stops at a number that no host reaches.
    package mutating func add(_ other: SigningNumbers) {
        signatures = min(Self.most, signatures &+ min(Self.most, max(0, other.signatures)))
        messages = min(Self.most, messages &+ min(Self.most, max(0, other.messages)))
    }

    private static let most: Int64 = 1 << 50
}

/// A line of a file: what is counted but for the day, and how often, between spaces.
enum SigningLine {
    /// The longest line that is read, in octets: two domain names, a selector, and the rest.
    static let longest = 1024

    /// The line, with its end.
    static func text(_ count: SigningCount, _ numbers: SigningNumbers) -> String {
        let recipient = count.recipient.isEmpty ? "-" : count.recipient
        return
            "\(count.domain) \(count.selector) \(count.algorithm) \(recipient) \(numbers.signatures) \(numbers.messages)\n"
    }

    /// What a line says; nil where it was cut or damaged.
    static func read(_ line: ArraySlice<UInt8>, day: Int64) -> (SigningCount, SigningNumbers)? {
        guard line.count <= longest else { return nil }
        let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 6, !words[0..<4].contains(""), let signatures = Int64(words[4]),
            let messages = Int64(words[5]), messages >= 0, messages <= signatures
        else { return nil }
        return (
            SigningCount(
                day: day, domain: words[0], selector: words[1], algorithm: words[2],
                recipient: words[3] == "-" ? "" : words[3]),
            SigningNumbers(signatures: signatures, messages: messages)
        )
    }
}
