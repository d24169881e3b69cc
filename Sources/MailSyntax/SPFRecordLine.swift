/// The text of an SPF record that lets addresses send (RFC 7208, section 12), as setup publishes it and the doctor proposes it.
public enum SPFRecordLine {
    /// A record for a domain that sends from some addresses, and through what some names include.
    ///
    /// It ends in `~all`: a domain whose senders are not all known loses no mail by it.
    ///
    /// - Parameters:
    ///   - addresses: where mail leaves from; where none is known its mail exchangers are taken for that.
    ///   - includes: the names whose records are included.
    /// - Returns: the record.
    public static func permitting(_ addresses: [IPAddress], includes: [String] = []) -> String {
        let terms = addresses.isEmpty ? ["mx"] : addresses.map(\.spfMechanism)
        return (["v=spf1"] + terms + includes.map { "include:\($0)" } + ["~all"])
            .joined(separator: " ")
    }
}

extension IPAddress {
    /// The SPF mechanism that names it (RFC 7208, section 5.6).
    public var spfMechanism: String {
        switch self {
        case .v4: "ip4:\(self)"
        case .v6: "ip6:\(self)"
        }
    }
}
