@_spi(_Unicode) internal import Swift

/// Internationalized labels: U-labels and A-labels (RFC 5890, section 2.3.2.1; RFC 5891).
///
/// Trust: hostile labels; the work is bounded by the longest label that fits a DNS name.
enum IDNA {
    /// No label longer than this many code points fits 63 octets: each takes at least one.
    static let longestLabel = 63

    /// The A-label of a Unicode label, or nil where it is no valid U-label.
    ///
    /// Maps to lower case and to Normalization Form C first (RFC 5895, section 2, steps 1 and 3). The
    /// step between them, full-width to normal width, is left out: such characters are refused, and
    /// only U+002E separates labels.
    static func toASCII(_ label: some Sequence<Unicode.Scalar>) -> [UInt8]? {
        var lower = String.UnicodeScalarView()
        for (index, scalar) in label.enumerated() {
            // Decomposed text shrinks when composed, but never to less than a quarter.
            guard index < longestLabel * 4 else { return nil }
            lower.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
        }
        let composed = normalized(String(lower))
        // The Kelvin sign, for one, becomes a plain letter: that makes no U-label.
        guard composed.count <= longestLabel, composed.contains(where: { !$0.isASCII }),
            isULabel(composed),
            let encoded = Punycode.encode(composed)
        else { return nil }
        let result = Array("xn--".utf8) + encoded
        return result.count <= longestLabel ? result : nil
    }

    /// The U-label of a lower-case A-label; nil where it does not decode to a valid one, or decodes to
    /// one whose A-label is another (RFC 5891, section 5.4).
    static func toUnicode(_ label: some Collection<UInt8>) -> String? {
        guard label.count <= longestLabel, label.starts(with: "xn--".utf8),
            let decoded = Punycode.decode(Array(label.dropFirst(4))),
            let again = toASCII(decoded), again.elementsEqual(label)
        else { return nil }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: decoded)
        return String(text)
    }

    private static func normalized(_ text: String) -> [Unicode.Scalar] {
        Array(text._nfc)
    }

    /// The tests that a lookup must make (RFC 5891, section 5.4), on a label in NFC.
    ///
    /// The test of right-to-left labels (RFC 5893), a SHOULD, is left out.
    private static func isULabel(_ label: [Unicode.Scalar]) -> Bool {
        guard let first = label.first, let last = label.last else { return false }
        // Hyphens neither third and fourth, nor at the ends; no combining mark first.
        if label.count >= 4, label[2] == "-", label[3] == "-" { return false }
        if first == "-" || last == "-" || isMark(first) { return false }
        return label.indices.allSatisfy { index in
            switch IDNAProperty(label[index]) {
            case .valid, .contextO: true
            case .contextJ: joins(label, at: index)
            case .disallowed: false
            }
        }
    }

    /// The rules for joiners (RFC 5892, appendices A.1 and A.2).
    ///
    /// After a virama both are valid. The non-joiner is also valid between letters of joining scripts;
    /// as the standard library does not know the joining types, any two letters without case do (all
    /// joining scripts have only such), or the marks on them.
    private static func joins(_ label: [Unicode.Scalar], at index: Int) -> Bool {
        guard index > 0 else { return false }
        let before = label[index - 1]
        if before.properties.canonicalCombiningClass == .virama { return true }
        guard label[index] == "\u{200C}", index + 1 < label.count else { return false }
        return [before, label[index + 1]].allSatisfy {
            $0.properties.generalCategory == .otherLetter || isMark($0)
        }
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }
}
