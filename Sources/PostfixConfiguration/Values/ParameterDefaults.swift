/// The releases of Postfix that Debian 12 and 13 have.
package enum PostfixRelease: String, CaseIterable, Sendable {
    /// Debian 12.
    case v3_7 = "3.7"
    /// Debian 13.
    case v3_10 = "3.10"

    /// The release that a version such as `3.10.5` belongs to: 3.8 and later have what we ask of 3.10.
    package init(version: String) {
        let parts = version.split(separator: ".").map { Int($0) ?? 0 }
        self = parts.lexicographicallyPrecedes([3, 8]) ? .v3_7 : .v3_10
    }
}

/// Postfix's values for parameters that main.cf does not set: those that concern mail's way, its filters and its names.
package struct ParameterDefaults: Sendable {
    /// The release whose values these are.
    package let release: PostfixRelease
    private let values: [String: String]

    /// The values on a host.
    ///
    /// - Parameters:
    ///   - release: the release whose values they are.
    ///   - hostName: what gethostname(2) gives; Postfix appends a domain where it has none.
    ///   - networks: the networks that `mynetworks` names when main.cf does not; by default those of loopback.
    package init(
        _ release: PostfixRelease, hostName: String,
        networks: [String] = ["127.0.0.0/8", "[::1]/128"]
    ) {
        var values = Self.common
        if release == .v3_10 { values.merge(Self.since3_10) { _, new in new } }
        let isQualified = hostName.contains(".")
        values["myhostname"] = isQualified ? hostName : "\(hostName).localdomain"
        values["mynetworks"] = networks.joined(separator: " ")
        self.release = release
        self.values = values
    }

    /// A default; nil where there is none, or it is not in our table.
    package subscript(_ name: String) -> String? { values[name] }

    /// The parameters that have a default here.
    package var names: [String] { values.keys.sorted() }

    private static let common = parsed(PostfixDefaultTable.common)
    private static let since3_10 = parsed(PostfixDefaultTable.since3_10)

    private static func parsed(_ table: String) -> [String: String] {
        var values: [String: String] = [:]
        for setting in MainConfiguration(Array(table.utf8)).settings {
            values[setting.name] = setting.value
        }
        return values
    }
}
