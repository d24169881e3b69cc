internal import Configuration

/// A configuration of the suite in a tree: the directives that checks ask for.
///
/// Trust: the files are the administrator's; what is wrong with them their daemons say.
struct SuiteConfiguration {
    /// The file's path on its host.
    let path: String
    private let tree: HostFiles
    private let reader: ConfigurationReader

    /// Reads `/etc/signet/NAME.conf`; nil where there is none.
    init?(_ name: String, _ tree: HostFiles) {
        path = "/etc/signet/\(name).conf"
        guard tree.text(path) != nil else { return nil }
        self.tree = tree
        reader = ConfigurationReader(
            schema: Self.schema, file: tree.place(path), passingOverOthers: true)
    }

    /// A directive's value as it is written; nil where it is not set.
    func text(_ directive: String) -> String? {
        reader.isSet(directive) ? reader.text(directive) : nil
    }

    /// Whether a directive is set.
    func isSet(_ directive: String) -> Bool { reader.isSet(directive) }

    /// Whether a directive says yes.
    func boolean(_ directive: String) -> Bool {
        ["yes", "true", "on", "1", "y", "t"].contains(text(directive)?.lowercased() ?? "")
    }

    /// Whether a directive names a table that is no file.
    func isTableWithoutFile(_ directive: String) -> Bool {
        guard let value = text(directive) else { return false }
        return !["/", "file:/", "refile:/"].contains { value.hasPrefix($0) }
    }

    /// The data set that a directive names, with paths taken from the tree; nil where it is not set.
    func dataSet(_ directive: String) -> DataSet? {
        guard let value = text(directive) else { return nil }
        let rooted: String
        if value.hasPrefix("/") {
            rooted = tree.place(value)
        } else if let colon = value.firstIndex(of: ":"),
            ["file", "refile"].contains(value[..<colon].lowercased())
        {
            let rest = value[value.index(after: colon)...].drop { $0 == " " }
            rooted = rest.hasPrefix("/") ? "\(value[...colon])\(tree.place(String(rest)))" : value
        } else {
            rooted = value
        }
        let reader = ConfigurationReader(
            schema: Self.schema, text: "\(directive) \(rooted)", named: self.path)
        return reader.dataSet(directive)
    }

    private static let schema = ConfigurationSchema(
        [
            "AuthservID", "Authserv_Id", "Domain", "Header_Type", "HoldQuarantinedMessages",
            "KeyDirectory", "KeyFile", "KeyFileEd25519", "KeyTable", "KeyTableEd25519", "Mode",
            "MultipleSignatures", "ReportStore", "Selector", "SelectorEd25519", "Shadow",
            "SigningTable",
            "Socket", "SubDomains",
        ].map { DirectiveSpec($0, .text, "") })
}
