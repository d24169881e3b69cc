/// Whom a daemon becomes, as `UserID` and `-u` write it: `user` or `user:group`.
public struct UserSpec: Hashable, Sendable, CustomStringConvertible {
    /// The user's name, or number.
    public let user: String
    /// The group's name or number; nil for the user's own.
    public let group: String?

    /// Reads `user` or `user:group`.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let user = parts.first, parts.count <= 2,
            parts.allSatisfy({ !$0.isEmpty && !$0.contains(" ") && !$0.contains("\t") })
        else { return nil }
        self.user = user
        group = parts.count == 2 ? parts[1] : nil
    }

    /// The form that it is read from.
    public var description: String {
        group.map { "\(user):\($0)" } ?? user
    }
}
