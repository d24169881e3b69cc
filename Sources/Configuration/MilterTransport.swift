/// What speaks the milter protocol, as the directive `Transport` names it.
public enum MilterTransport: String, CaseIterable, Sendable {
    /// Our own server.
    case native
    /// The MTA's library.
    case libmilter

    /// The directive.
    public static let directive = DirectiveSpec(
        "Transport", .word(allCases.map(\.rawValue)), default: native.rawValue,
        needsRestart: true, "What speaks the milter protocol: this program itself, or libmilter.")

    /// Reads the directive.
    public init(_ reader: ConfigurationReader) {
        self = reader.word("Transport", as: Self.self) ?? .native
    }
}
