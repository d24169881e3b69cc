import Foundation

/// JSON in the form that all commands write: stable order, one object for one subject, an array for several.
enum JSONOutput {
    /// The text for one subject: an object.
    static func text(of subject: some Encodable) throws -> String {
        String(decoding: try encoder.encode(subject), as: UTF8.self)
    }

    /// The text for several subjects: an array, however many of them are left.
    static func list(of subjects: [some Encodable]) throws -> String {
        String(decoding: try encoder.encode(subjects), as: UTF8.self)
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
