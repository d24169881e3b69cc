import Foundation

/// JSON in the form that all commands write: stable order, one object for one subject, an array for several.
enum JSONOutput {
    /// The text for some subjects.
    static func text<Subject: Encodable>(of subjects: [Subject]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data =
            subjects.count == 1 ? try encoder.encode(subjects[0]) : try encoder.encode(subjects)
        return String(decoding: data, as: UTF8.self)
    }
}
