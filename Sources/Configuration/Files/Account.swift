package import Glibc

/// A user of the system, and the group that the user's processes have.
package struct Account: Hashable, Sendable {
    package let name: String
    package let user: uid_t
    package let group: gid_t

    /// What became of a search in the user or group database.
    package enum Missing: Error, Hashable {
        case user(String)
        case group(String)
    }

    /// Finds `user` or `user:group`, by name or number.
    package init(_ spec: UserSpec) throws(Missing) {
        guard let entry = Self.user(named: spec.user) else { throw .user(spec.user) }
        name = entry.name
        user = entry.user
        if let group = spec.group {
            guard let found = Self.group(named: group) else { throw .group(group) }
            self.group = found
        } else {
            group = entry.group
        }
    }

    /// Who this process is.
    package static var effective: (name: String, user: uid_t) {
        let user = geteuid()
        return unsafe (lookUp { unsafe getpwuid_r(user, $0, $1, $2, $3) }?.name ?? "\(user)", user)
    }

    /// A group's number; nil when there is no such group.
    package static func group(named name: String) -> gid_t? {
        var buffer = [CChar](repeating: 0, count: 65_536)
        var entry = unsafe Glibc.group()
        var result: UnsafeMutablePointer<Glibc.group>?
        let status = unsafe getgrnam_r(name, &entry, &buffer, buffer.count, &result)
        if status == 0, unsafe result != nil { return unsafe entry.gr_gid }
        // The highest number means "no change" to chown(2).
        return gid_t(name).flatMap { $0 == .max ? nil : $0 }
    }

    private static func user(named name: String) -> (name: String, user: uid_t, group: gid_t)? {
        if let found = unsafe lookUp({ unsafe getpwnam_r(name, $0, $1, $2, $3) }) { return found }
        guard let number = uid_t(name) else { return nil }
        return unsafe lookUp { unsafe getpwuid_r(number, $0, $1, $2, $3) }
    }

    private typealias Search = (
        UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32

    private static func lookUp(_ search: Search) -> (name: String, user: uid_t, group: gid_t)? {
        var entry = unsafe passwd()
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer in
            guard let base = buffer.baseAddress else { return nil }
            var result: UnsafeMutablePointer<passwd>?
            let status = unsafe search(&entry, base, buffer.count, &result)
            guard status == 0, let found = unsafe result else { return nil }
            return unsafe (
                String(cString: found.pointee.pw_name), found.pointee.pw_uid, found.pointee.pw_gid
            )
        }
    }
}
