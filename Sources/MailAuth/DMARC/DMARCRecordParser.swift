internal import MailSyntax

/// Reads a DMARC record (RFC 9989, section 4.8).
///
/// "Unknown tags MUST be ignored. Syntax errors in the remainder of the record MUST be discarded in favor
/// of default values (if any) or ignored outright." Empty tags, as in `p=none;;`, are passed over.
///
/// Trust: hostile octets, as many as the DNS can carry; one pass.
struct DMARCRecordParser {
    private let rest: ArraySlice<UInt8>
    private var record = DMARCRecord()
    /// The values of the tags that are there once: a handful.
    private var values: [(tag: DMARCTag, text: ArraySlice<UInt8>)] = []

    /// The most addresses of one tag that are kept.
    static let maximumURIs = 32

    /// Looks for the version; nil where the text is no DMARC record.
    init?(_ text: [UInt8]) {
        let end = text.firstIndex(of: UInt8(ascii: ";")) ?? text.endIndex
        // dmarc-version = "v" equals %s"DMARC1" ; case sensitive
        guard let (name, value) = Self.tag(text[..<end]), Self.known(name) == .v,
            value.elementsEqual("DMARC1".utf8)
        else { return nil }
        rest = text[end...].dropFirst()
    }

    /// Reads all tags after the version.
    mutating func parse() -> DMARCRecord {
        for piece in rest.split(separator: UInt8(ascii: ";")) { note(piece) }
        record.policy = policy(.p)
        record.subdomainPolicy = policy(.sp)
        record.nonexistentPolicy = policy(.np)
        record.dkimAlignment = word(.adkim) ?? .relaxed
        record.spfAlignment = word(.aspf) ?? .relaxed
        record.publicSuffix = word(.psd) ?? .unspecified
        record.isTesting = word(.t) == Flag.y
        record.aggregateReportURIs = addresses(.rua)
        record.failureReportURIs = addresses(.ruf)
        // "This tag's content MUST be ignored if a "ruf" tag is not also specified."
        if value(.ruf) != nil, let text = value(.fo) {
            if let options = DMARCFailureOptions(parsing: text) {
                record.failureOptions = options
            } else {
                recordFault(.malformed(.fo))
            }
        }
        return record
    }

    private enum Flag: String {
        case y, n
    }

    private func value(_ tag: DMARCTag) -> ArraySlice<UInt8>? {
        values.first { $0.tag == tag }?.text
    }

    /// Takes one tag, or what stands in its place.
    private mutating func note(_ piece: ArraySlice<UInt8>) {
        guard let (name, value) = Self.tag(piece) else {
            if !piece.allSatisfy(\.isFoldingSpace) { recordFault(.unreadable) }
            return
        }
        guard let tag = Self.known(name) else { return }
        if tag.isHistoric {
            recordFault(.historic(tag))
        } else if tag == .v || self.value(tag) != nil || record.faults.contains(.repeated(tag)) {
            // RFC 6376, section 3.2: a tag must not be there twice. Neither value is better than the
            // other, so there is none.
            values.removeAll { $0.tag == tag }
            recordFault(.repeated(tag))
        } else {
            values.append((tag, value))
        }
    }

    private mutating func recordFault(_ fault: DMARCRecordFault) {
        if !record.faults.contains(fault) { record.faults.append(fault) }
    }

    // dmarc-tag = 1*ALPHA equals 1*dmarc-value
    private static func tag(
        _ piece: ArraySlice<UInt8>
    ) -> (name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)? {
        guard let equals = piece.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let name = piece[..<equals].trimmingFoldingSpace()
        guard !name.isEmpty, name.allSatisfy(\.isASCIILetter) else { return nil }
        return (name, piece[(equals + 1)...].trimmingFoldingSpace())
    }

    /// The tag of a name; literals in ABNF have no case (RFC 5234, section 2.3).
    private static func known(_ name: ArraySlice<UInt8>) -> DMARCTag? {
        // No tag that is known is longer.
        guard name.count <= 5 else { return nil }
        let number = packed(name)
        return tags.first { $0.number == number }?.tag
    }

    private static let tags = DMARCTag.allCases.map {
        (number: packed(Array($0.rawValue.utf8)[...]), tag: $0)
    }

    /// A name of eight octets at most as a number, in lower case.
    private static func packed(_ name: ArraySlice<UInt8>) -> UInt64 {
        name.reduce(0) { $0 << 8 | UInt64($1.asciiLowercased) }
    }

    private mutating func policy(_ tag: DMARCTag) -> DMARCPolicy? { word(tag) }

    /// A value that is one of some words, which have no case.
    private mutating func word<Word: RawRepresentable<String>>(_ tag: DMARCTag) -> Word? {
        guard let text = value(tag) else { return nil }
        guard text.count <= 10,
            let word = Word(rawValue: String(decoding: text.asciiLowercased, as: UTF8.self))
        else {
            recordFault(.malformed(tag))
            return nil
        }
        return word
    }

    // dmarc-urilist = (dmarc-uri / obs-dmarc-uri) *(*WSP "," *WSP (dmarc-uri / obs-dmarc-uri))
    private mutating func addresses(_ tag: DMARCTag) -> [DMARCReportURI] {
        guard let text = value(tag) else { return [] }
        var addresses: [DMARCReportURI] = []
        for item in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard addresses.count < Self.maximumURIs else {
                recordFault(.unusableURIs(tag))
                break
            }
            if let address = DMARCReportURI(parsing: item.trimmingFoldingSpace()) {
                addresses.append(address)
            } else {
                recordFault(.unusableURIs(tag))
            }
        }
        return addresses
    }
}
