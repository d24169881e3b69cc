public import MailSyntax

/// A header section with no more of its values than a plan rests on: enough to plan again, with a ``RuleWitness``.
///
/// Identifiers keep what stands behind their "@", which may name an internal host: it decides.
///
/// Trust: hostile octets; linear time.
public enum WithheldHeader {
    /// A field, with what stands for its value.
    public typealias Field = (name: [UInt8], value: [UInt8])

    /// The fields of a section, all in their places.
    ///
    /// Of Received stay protocol, date and count of hops; of signatures their domain and the names of what
    /// they cover; of identifiers the right-hand sides; of MIME-Version that it has a comment; and the Date.
    public static func fields(of header: HeaderSection) -> [Field] {
        header.fields.indices.map { position in
            (
                Array(header.name(of: position)),
                value(of: position, header) ?? []
            )
        }
    }

    /// The longest date that is kept, in octets.
    private static let longestDate = 998

    private static func value(of position: Int, _ header: HeaderSection) -> [UInt8]? {
        let value = header.value(of: position)
        if header.isReceived(position) { return ReceivedStamp(reading: value.span).facts }
        let name = FieldName(bytes: header.name(of: position))
        switch name {
        case .date: return value.count <= longestDate ? Array(value) : nil
        case MIMEVersion.name:
            return MIMEVersion.withoutComments(value).map { $0 + Array(" ()".utf8) }
        case .dkimSignature, .arcMessageSignature: return CoveredFields.facts(of: value)
        case _ where MessageIdentifiers.fields.contains(name):
            return MessageIdentifiers.facts(of: value)
        default: return nil
        }
    }
}

extension ReceivedStamp {
    /// A value from which the same stamp is read.
    fileprivate var facts: [UInt8] {
        let parts = [
            transmission.map { "with \($0)" }, hops > 1 ? "(hops \(hops))" : nil,
            date.map { "; \($0.text)" },
        ]
        return Array(" \(parts.compactMap(\.self).joined(separator: " "))".utf8)
    }
}

extension CoveredFields {
    /// A value that covers what a signature's value covers; nil where that is nothing.
    fileprivate static func facts(of value: ArraySlice<UInt8>) -> [UInt8]? {
        guard let tags = try? TagList(parsing: value), let names = tags.list("h") else {
            return nil
        }
        let domain = Array(" d=\(tags.text("d") ?? "nobody"); h=".utf8)
        return domain + names.joined(separator: [UInt8(ascii: ":")])
    }
}

extension MessageIdentifiers {
    /// A value with the same right-hand sides; nil where there are none, or where it is no list that could be written.
    fileprivate static func facts(of value: ArraySlice<UInt8>) -> [UInt8]? {
        guard ScrubPlan.canBeWritten(Array(value)) else { return nil }
        var facts: [UInt8] = []
        let pieces = value.split(separator: UInt8(ascii: "<"), omittingEmptySubsequences: false)
        for piece in pieces.dropFirst() {
            guard let end = piece.firstIndex(of: UInt8(ascii: ">")),
                let at = piece[..<end].lastIndex(of: UInt8(ascii: "@")),
                !piece[..<end].contains(where: \.isFoldingSpace)
            else { continue }
            facts += Array(" <".utf8) + piece[at...end]
        }
        return facts
    }
}
