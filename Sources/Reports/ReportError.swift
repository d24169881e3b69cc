/// Why a report could not be made.
public struct ReportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The reason in words.
    public let description: String

    /// Creates an error.
    public init(_ description: String) { self.description = description }
}
