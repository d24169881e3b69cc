package import MailSyntax

/// Which of a domain's keys sign now: the file `signing` in the domain's folder.
///
/// A selector a line, in the order of the signatures; `#` begins a comment. A file without a selector
/// means that nothing signs. Trust: a postmaster may have written it; every octet has a defined outcome.
package struct SigningList: Hashable, Sendable {
    /// The file's name.
    package static let fileName = "signing"
    /// The longest file, in octets.
    package static let sizeLimit = 16_384
    /// The most keys that sign one message.
    package static let maximumKeys = 8

    /// The selectors, in order.
    package let selectors: [DomainName]

    /// Why a file cannot be used.
    package struct Fault: Error, Hashable, CustomStringConvertible {
        /// What is wrong, with the line.
        package let description: String
    }

    /// Makes a list.
    package init(_ selectors: [DomainName]) {
        self.selectors = selectors
    }

    /// Reads a file's contents.
    package init(parsing octets: [UInt8]) throws(Fault) {
        var found: [DomainName] = []
        let lines = octets.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            let words = line.prefix { $0 != UInt8(ascii: "#") }
                .split(omittingEmptySubsequences: true) { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            guard let word = words.first else { continue }
            guard words.count == 1, let selector = Self.selector(word) else {
                throw Fault(description: "line \(number + 1) is not a selector")
            }
            guard !found.contains(selector) else { continue }
            guard found.count < Self.maximumKeys else {
                throw Fault(description: "more than \(Self.maximumKeys) selectors")
            }
            found.append(selector)
        }
        selectors = found
    }

    /// The file's contents.
    package var text: String {
        "# The selectors whose keys sign, one a line; signet key rotate keeps this file.\n"
            + selectors.map { "\($0.ascii)\n" }.joined()
    }

    /// A selector: one or more labels (RFC 6376, section 3.1).
    package static func selector(_ octets: some Collection<UInt8>) -> DomainName? {
        guard let name = try? DomainName(bytes: octets), name.isHostName else { return nil }
        return name
    }
}
