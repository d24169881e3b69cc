/// The users and groups of a tree, as its /etc/passwd and /etc/group have them.
struct Accounts: Sendable {
    private var users: [String: (user: UInt32, group: UInt32)] = [:]
    private var groups: [String: UInt32] = [:]
    private var memberships: [String: Set<UInt32>] = [:]

    /// Nobody.
    init() {}

    /// Reads both files; lines that are none are passed over.
    init(_ tree: HostFiles) {
        for fields in Self.lines(tree.text("/etc/passwd")) where fields.count >= 4 {
            guard let user = UInt32(fields[2]), let group = UInt32(fields[3]) else { continue }
            users[fields[0]] = (user, group)
        }
        for fields in Self.lines(tree.text("/etc/group")) where fields.count >= 4 {
            guard let group = UInt32(fields[2]) else { continue }
            groups[fields[0]] = group
            for member in fields[3].split(separator: ",") {
                memberships[String(member), default: []].insert(group)
            }
        }
    }

    /// The number of a user; nil where there is none of that name.
    func user(_ name: String) -> UInt32? { users[name]?.user }

    /// The number of a group; nil where there is none of that name.
    func group(_ name: String) -> UInt32? { groups[name] }

    /// The groups that a user is in.
    func groups(of name: String) -> Set<UInt32> {
        var all = memberships[name] ?? []
        if let own = users[name]?.group { all.insert(own) }
        return all
    }

    /// The name of a user's number, or the number.
    func name(ofUser number: UInt32) -> String {
        users.filter { $0.value.user == number }.keys.min() ?? "\(number)"
    }

    /// The name of a group's number, or the number.
    func name(ofGroup number: UInt32) -> String {
        groups.filter { $0.value == number }.keys.min() ?? "\(number)"
    }

    private static func lines(_ text: String?) -> [[String]] {
        (text ?? "").split(separator: "\n").map { line in
            line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        }
    }
}
