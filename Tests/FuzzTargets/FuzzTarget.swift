/// One door through which hostile octets come in, and what must hold behind it whatever they are.
///
/// The fuzzer feeds these, and so do the tests with the corpora and with all that the fuzzer ever
/// found. That nothing traps, and that everything ends soon, holds for each of them unsaid.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// A message file, split into header section and body.
    case split
    /// Header fields as a milter is given them: each after 0x1E, name and value parted by ":".
    case append
    /// The value of a From field.
    case author
    /// The argument of MAIL FROM or RCPT TO.
    case path
    /// A domain name.
    case domain
    /// A tag-list.
    case tags
    /// A whole message, verified with `FuzzMessage`'s key for each question.
    case message
    /// The value of the DKIM-Signature field of a message whose other fields are those of `FuzzMessage`.
    case signature
    /// The text of a key record.
    case key
    /// The value of an Authentication-Results field.
    case results
    /// A configuration file.
    case configuration
    /// A data set file.
    case dataset
    /// A pattern, a line end, and a text.
    case glob
    /// An SPF record, a line end, a reverse-path, a line end, and a HELO name.
    case spf
    /// A zone file.
    case zone
    /// The data of a resource record, after an octet for its type.
    case rdata
    /// A DMARC record, a line end, and the value of a From field.
    case dmarc
    /// A list of public suffixes.
    case suffixes
    /// Where to cut, what the filter wants, and what an MTA sends.
    case milter
    /// Requests of Postfix's policy protocol.
    case policy
    /// A mail or a file with reports: parts, archives, XML and JSON.
    case report
    /// The XML of an aggregate report.
    case aggregate
    /// A failure report: the machine-readable part.
    case feedback
    /// The JSON of an SMTP TLS report.
    case tlsreport

    /// Feeds the target.
    ///
    /// - Throws: the promise that is broken.
    public func check(_ input: [UInt8]) throws(BrokenPromise) {
        switch self {
        case .split: try checkSplit(input)
        case .append: try checkAppend(input)
        case .author: try checkAuthor(input)
        case .path: try checkPath(input)
        case .domain: try checkDomain(input)
        case .tags: try checkTags(input)
        case .message: try checkMessage(input)
        case .signature: try checkSignature(input)
        case .key: try checkKey(input)
        case .results: try checkResults(input)
        case .configuration: try checkConfiguration(input)
        case .dataset: try checkDataSet(input)
        case .glob: try checkGlob(input)
        case .spf: try checkSPF(input)
        case .zone: try checkZone(input)
        case .rdata: try checkRecordData(input)
        case .dmarc: try checkDMARC(input)
        case .suffixes: try checkSuffixes(input)
        case .milter: try checkMilter(input)
        case .policy: try checkPolicy(input)
        case .report: try checkReport(input)
        case .aggregate: try checkReport(Array("<feedback>".utf8) + input)
        case .feedback: try checkFeedback(input)
        case .tlsreport: try checkReport(Array("{".utf8) + input)
        }
    }
}

/// A promise that does not hold for some input.
public struct BrokenPromise: Error, Hashable, Sendable, CustomStringConvertible {
    /// The promise.
    public let description: String
}

/// Throws unless a promise holds.
func promise(
    _ text: StaticString, _ holds: @autoclosure () -> Bool
) throws(BrokenPromise) {
    guard holds() else { throw BrokenPromise(description: text.description) }
}

extension [UInt8] {
    /// The parts between an octet, at most so many; the last has all the rest.
    func parts(atMost count: Int, separator: UInt8 = 0x0A) -> [[UInt8]] {
        split(separator: separator, maxSplits: count - 1, omittingEmptySubsequences: false)
            .map { Array($0) }
    }
}
