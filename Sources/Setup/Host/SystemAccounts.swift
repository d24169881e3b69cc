/// The accounts of a host, by its /etc/passwd.
package struct SystemAccounts: Sendable {
    private var accounts: [String: (user: UInt32, group: UInt32)] = [:]

    /// Reads /etc/passwd.
    package init(_ tree: FileTree) throws(FileFault) {
        for line in try (tree.file("/etc/passwd")?.text ?? "").split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 4, let user = UInt32(fields[2]), let group = UInt32(fields[3])
            else { continue }
            accounts[String(fields[0])] = (user, group)
        }
    }

    /// The numbers of a user and the user's group; nil where there is no such user.
    package subscript(_ name: String) -> (user: UInt32, group: UInt32)? { accounts[name] }
}
