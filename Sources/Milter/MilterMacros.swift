/// The macros that the MTA has sent up to the event in hand.
///
/// It cannot be copied, so that a session does not keep it beyond the event: the values are looked
/// up only when asked for, and change with the next event.
public struct MilterMacros: ~Copyable {
    private enum Source {
        case live(any MacroSource)
        case fixed([String: String])
    }

    private let source: Source

    /// The macros of a live connection.
    package init(_ live: some MacroSource) {
        source = .live(live)
    }

    /// Gives fixed macros, for tests and for messages from files.
    ///
    /// - Parameter values: The values by name; the braces of long names may be left out.
    public init(_ values: [String: String] = [:]) {
        var normal: [String: String] = [:]
        for (name, value) in values { normal[Self.normalized(name)] = value }
        source = .fixed(normal)
    }

    /// The value of a macro, nil where the MTA has not sent it.
    ///
    /// - Parameter name: One letter ("i"), or a long name with or without braces ("{auth_type}").
    public subscript(name: String) -> String? {
        let name = Self.normalized(name)
        switch source {
        case .live(let live):
            return live.macro(name)
        case .fixed(let values):
            return values[name]
        }
    }

    /// The name in its normal form: one letter bare, longer ones in braces.
    package static func normalized(_ name: String) -> String {
        guard name.utf8.count > 1 else { return name }
        guard name.utf8.first == UInt8(ascii: "{") else { return "{" + name + "}" }
        // "{i}" is the same macro as "i".
        return name.utf8.count == 3 ? String(name.dropFirst().dropLast()) : name
    }
}
