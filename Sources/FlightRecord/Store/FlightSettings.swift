package import Configuration

/// What the configuration says about a daemon's record: the same for the daemon, which writes it,
/// and for the command, which reads it.
package struct FlightSettings: Hashable, Sendable {
    /// The record's directory; nil for no record.
    package var directory: String?
    /// Whether the configuration names the directory; the default one is made by the package alone.
    package var isNamed = true
    /// How large the record may become, in octets.
    package var limit = defaultLimit
    /// How much it tells of people.
    package var privacy = FlightPrivacy.full
    /// How old entries become, in seconds.
    package var age: Int64 = 14 * 86_400

    /// How large a record may become if nothing is said.
    package static let defaultLimit: Int64 = 64 << 20
    private static let smallestLimit: Int64 = 1 << 20
    private static let largestLimit: Int64 = 16 << 30

    /// The directives of a daemon.
    package static func directives(_ daemon: FlightDaemon) -> [DirectiveSpec] {
        [
            DirectiveSpec(
                "FlightRecord", .text, default: defaultDirectory(daemon), needsRestart: true,
                "The directory of the record that \"signet explain\" reads; none keeps no record."),
            DirectiveSpec(
                "FlightRecordLimit", .text, default: "64M", needsRestart: true,
                "How large the record may become; entries of more than 14 days go anyway."),
            DirectiveSpec(
                "FlightRecordPrivacy", .word(FlightPrivacy.allCases.map(\.rawValue)),
                default: FlightPrivacy.full.rawValue, needsRestart: true,
                "How much the record says about people: full, hashed, or strict for nothing."),
        ]
    }

    /// The directory if nothing is said.
    package static func defaultDirectory(_ daemon: FlightDaemon) -> String {
        "/var/lib/\(daemon.name)/flight"
    }

    /// No record.
    package static let none = FlightSettings(directory: nil)

    /// A record in a directory.
    package init(directory: String?) { self.directory = directory }

    /// Reads the directives; what is wrong is reported to the reader.
    package init(_ reader: ConfigurationReader) {
        directory = Self.directory(reader)
        isNamed = reader.isSet("FlightRecord")
        limit = Self.limit(reader)
        privacy = reader.word("FlightRecordPrivacy", as: FlightPrivacy.self) ?? .full
    }

    private static func directory(_ reader: ConfigurationReader) -> String? {
        guard let text = reader.text("FlightRecord"), text != "none" else { return nil }
        guard text.hasPrefix("/") else {
            reader.report(
                .error, "FlightRecord", "\"\(text)\" is not an absolute path",
                suggestion: "write the path in full, or none")
            return nil
        }
        return text
    }

    private static func limit(_ reader: ConfigurationReader) -> Int64 {
        let text = reader.text("FlightRecordLimit") ?? ""
        if let octets = OctetCount.parse(text, in: smallestLimit...largestLimit) { return octets }
        reader.report(
            .error, "FlightRecordLimit", "\"\(text)\" is not a size from 1M to 16G",
            suggestion: "write a number of octets, or one with K, M or G, such as 64M")
        return defaultLimit
    }
}
