internal import MailSyntax

/// The ARC Sets of a message, by the places of their fields (RFC 8617, section 5.2, steps 1 and 3).
///
/// Trust: any header section; at most 50 fields of each kind are looked at.
struct ARCChain {
    /// One ARC Set.
    struct Fields {
        let instance: Int
        /// Where its fields are in the header section.
        let authenticationResults: Int
        let messageSignature: Int
        let seal: Int
        /// Where the results begin: behind the instance.
        let resultsStart: Int
    }

    /// "Instance tag values can range from 1-50 (inclusive)" (section 4.2.1).
    static let maximumSets = 50

    /// The sets, from instance 1 on.
    private(set) var sets: [Fields] = []

    /// Collects the sets.
    ///
    /// - Parameters:
    ///   - header: the whole header section.
    ///   - truncated: the fields that are known to have been cut at a NUL octet.
    ///   - limit: the most sets that are accepted, up to 50.
    /// - Throws: what keeps them from being a chain; not that there are none.
    init(
        _ header: HeaderSection, truncated: Set<Int> = [], limit: Int = maximumSets
    ) throws(Broken) {
        let limit = min(max(0, limit), Self.maximumSets)
        var places: [ARCField: [Place?]] = [:]
        var highest = 0
        for field in ARCField.allCases {
            let positions = header.indices(named: field.name)
            guard positions.count <= limit else { throw Broken(.tooManySets(limit: limit)) }
            // Most mail has none.
            guard !positions.isEmpty else { continue }
            var found = [Place?](repeating: nil, count: Self.maximumSets + 1)
            for position in positions {
                guard let place = Place(field, header, position) else {
                    throw Broken(.noInstance(field))
                }
                guard found[place.instance] == nil else {
                    throw Broken(.repeated(field, instance: place.instance))
                }
                if truncated.contains(position) || header.value(of: position).contains(0) {
                    throw Broken(.nulInField(field, instance: place.instance))
                }
                found[place.instance] = place
                highest = max(highest, place.instance)
            }
            places[field] = found
        }
        // "The instance values of the ARC Sets MUST form a continuous sequence from 1..N with no gaps."
        for instance in 0..<highest {
            sets.append(try Self.set(instance + 1, places))
        }
    }

    /// Why the fields are no chain.
    struct Broken: Error {
        let reason: ARCReason

        init(_ reason: ARCReason) {
            self.reason = reason
        }
    }

    /// Where a field is, and which set it belongs to.
    private struct Place {
        let instance: Int
        let position: Int
        let resultsStart: Int

        init?(_ field: ARCField, _ header: HeaderSection, _ position: Int) {
            self.position = position
            if field == .authenticationResults {
                guard let (instance, start) = ARCInstance.prefix(of: header.value(of: position))
                else { return nil }
                self.instance = instance
                resultsStart = start
            } else {
                let names: [String] = field == .seal ? ["i", "cv"] : ["i"]
                guard
                    let tags = try? TagList(
                        parsing: header.value(of: position), commentsAround: names),
                    let instance = tags["i"].flatMap(ARCInstance.number)
                else { return nil }
                self.instance = instance
                resultsStart = 0
            }
        }
    }

    /// One set: "Each ARC Set MUST contain exactly one each of the three ARC header fields".
    private static func set(
        _ instance: Int, _ places: [ARCField: [Place?]]
    ) throws(Broken) -> Fields {
        func place(_ field: ARCField) throws(Broken) -> Place {
            guard let place = places[field]?[instance] else {
                throw Broken(.missing(field, instance: instance))
            }
            return place
        }
        let results = try place(.authenticationResults)
        return Fields(
            instance: instance, authenticationResults: results.position,
            messageSignature: try place(.messageSignature).position,
            seal: try place(.seal).position, resultsStart: results.resultsStart)
    }
}

extension ARCField {
    /// The field's name.
    var name: FieldName {
        switch self {
        case .authenticationResults: .arcAuthenticationResults
        case .messageSignature: .arcMessageSignature
        case .seal: .arcSeal
        }
    }
}

/// Instance tags (RFC 8617, sections 3.9 and 4.2.1).
enum ARCInstance {
    // position = 1*2DIGIT ; 1 - 50
    static func number(_ text: ArraySlice<UInt8>) -> Int? {
        guard 1...2 ~= text.count, text.allSatisfy(\.isASCIIDigit) else { return nil }
        let number = text.reduce(0) { $0 * 10 + Int($1 &- 0x30) }
        return 1...ARCChain.maximumSets ~= number ? number : nil
    }

    /// The instance at the start of ARC-Authentication-Results, and where the results begin.
    ///
    /// arc-info = instance [CFWS] ";" authres-payload, instance = [CFWS] %s"i" [CFWS] "=" [CFWS] position
    static func prefix(of value: ArraySlice<UInt8>) -> (instance: Int, start: Int)? {
        var rest = value
        guard skipCFWS(&rest), rest.popFirst() == UInt8(ascii: "i"),
            skipCFWS(&rest), rest.popFirst() == UInt8(ascii: "="), skipCFWS(&rest)
        else { return nil }
        let digits = rest.prefix(while: \.isASCIIDigit)
        rest = rest[digits.endIndex...]
        guard let instance = number(digits), skipCFWS(&rest),
            rest.popFirst() == UInt8(ascii: ";")
        else { return nil }
        return (instance, rest.startIndex)
    }

    /// Skips comments and folding white space; false where a comment has no end.
    private static func skipCFWS(_ rest: inout ArraySlice<UInt8>) -> Bool {
        while let octet = rest.first {
            if octet.isFoldingSpace {
                rest.removeFirst()
            } else if octet == UInt8(ascii: "(") {
                guard let end = ResultsText.endOfComment(rest.span, at: 0) else { return false }
                rest = rest.dropFirst(end)
            } else {
                break
            }
        }
        return true
    }
}
