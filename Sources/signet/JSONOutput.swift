import Foundation

/// JSON in the form that all commands write: stable order, one object for one subject, an array for several.
enum JSONOutput {
    /// The text for one subject: an object.
    static func text(of subject: some Encodable) throws -> String {
        harmless(String(decoding: try encoder.encode(subject), as: UTF8.self))
    }

    /// The text for several subjects: an array, however many of them are left.
    static func list(of subjects: [some Encodable]) throws -> String {
        harmless(String(decoding: try encoder.encode(subjects), as: UTF8.self))
    }

    /// The same JSON, in which no character is left that a terminal obeys: the encoder writes those from U+007F on as they are.
    private static func harmless(_ json: String) -> String {
        guard !json.utf8.allSatisfy({ $0 < 0x7F }) else { return json }
        var text = String.UnicodeScalarView()
        for scalar in json.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control where scalar != "\n", .format where scalar.value <= 0xFFFF,
                .lineSeparator, .paragraphSeparator:
                let digits = String(scalar.value, radix: 16)
                let zeros = String(repeating: "0", count: 4 - digits.count)
                text.append(contentsOf: "\\u\(zeros)\(digits)".unicodeScalars)
            default: text.append(scalar)
            }
        }
        return String(text)
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
