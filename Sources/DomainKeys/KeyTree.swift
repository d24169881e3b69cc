internal import Configuration
internal import Glibc
package import MailSyntax

/// A folder of keys: `DOMAIN/SELECTOR.private`, and `DOMAIN/signing` for the selectors that sign now.
///
/// Without the latter every key of the domain's folder signs. Domains come from messages: only a host
/// name becomes part of a path, and nothing outside the folder is read, through links neither.
package struct KeyTree: Hashable, Sendable {
    /// How a key file's name ends.
    package static let keySuffix = ".private"

    /// The folder's path, without a slash at the end.
    package let root: String

    /// Names a folder.
    package init(_ root: String) {
        var root = root[...]
        while root.count > 1, root.hasSuffix("/") { root = root.dropLast() }
        self.root = String(root)
    }

    /// The keys that are meant to sign for a domain.
    package enum Selection: Sendable {
        /// These, in this order.
        case selectors([DomainName])
        /// The domain has no folder.
        case absent
        /// There is a folder, and what it says cannot be used.
        case fault(String)
    }

    /// The path of a domain's folder; nil for what is not a host name.
    package func folder(of domain: DomainName) -> String? {
        domain.isHostName ? "\(root)/\(domain.ascii)" : nil
    }

    /// The path of a key; nil where the domain is not a host name.
    package func keyFile(_ selector: DomainName, of domain: DomainName) -> String? {
        folder(of: domain).map { "\($0)/\(selector.ascii)\(Self.keySuffix)" }
    }

    /// Whether a domain has a folder, as far as that can be seen.
    package enum Folder: Sendable {
        case present, absent
        /// It cannot be reached, so that it may be there: the reason for the log.
        case unreachable(String)
    }

    /// Looks for a domain's folder: one system call.
    ///
    /// What cannot be looked at is not taken for absent: mail that should be signed would go out unsigned.
    package func look(for domain: DomainName) -> Folder {
        guard let folder = folder(of: domain) else { return .absent }
        if let stamp = FileStamp(folder) { return stamp.isFolder ? .present : .absent }
        switch errno {
        case ENOENT, ENOTDIR, ENAMETOOLONG: return .absent
        default: return .unreachable("\(folder) cannot be reached: \(SystemError.last)")
        }
    }

    /// Whether a domain has a folder that can be reached.
    package func hasFolder(_ domain: DomainName) -> Bool {
        folder(of: domain).flatMap(FileStamp.init)?.isFolder == true
    }

    /// Which keys sign for a domain now.
    package func selection(of domain: DomainName) -> Selection {
        guard let folder = folder(of: domain) else { return .absent }
        switch look(for: domain) {
        case .present: break
        case .absent: return .absent
        case .unreachable(let reason): return .fault(reason)
        }
        guard isInside(folder) else { return .fault("\(folder) leads out of \(root)") }
        let path = "\(folder)/\(SigningList.fileName)"
        do throws(FileReadError) {
            let octets = try FileContents.read(path, limit: SigningList.sizeLimit)
            // A list that says that nothing signs has a comment at least; a shell's ">" empties a file before it writes.
            guard !octets.isEmpty else { return .fault("\(path) is empty, as while it is written") }
            do throws(SigningList.Fault) {
                return .selectors(try SigningList(parsing: octets).selectors)
            } catch {
                return .fault("\(path): \(error)")
            }
        } catch {
            guard case .system(let reason) = error, reason.code == ENOENT else {
                return .fault("\(path) \(error)")
            }
        }
        guard let all = selectors(of: domain) else {
            return .fault("\(folder) cannot be read: \(SystemError.last)")
        }
        guard all.count <= SigningList.maximumKeys else {
            return .fault("\(folder) has \(all.count) keys; name those that sign in \(path)")
        }
        return .selectors(all)
    }

    /// The selectors of all keys in a domain's folder, sorted; nil where it cannot be read.
    package func selectors(of domain: DomainName) -> [DomainName]? {
        guard let folder = folder(of: domain), let names = Self.names(in: folder) else {
            return nil
        }
        return names.filter { $0.hasSuffix(Self.keySuffix) }
            .compactMap { SigningList.selector($0.dropLast(Self.keySuffix.count).utf8) }
            .sorted()
    }

    /// The domains that have a folder, sorted, and the names that are none.
    ///
    /// Nil where the folder cannot be read. Hidden files count as neither.
    package func domains() -> (domains: [DomainName], others: [String])? {
        guard let names = Self.names(in: root) else { return nil }
        var domains: [DomainName] = []
        var others: [String] = []
        for name in names {
            if let domain = try? DomainName(name), domain.ascii == name, hasFolder(domain) {
                domains.append(domain)
            } else {
                others.append(name)
            }
        }
        return (domains.sorted(), others.sorted())
    }

    /// Whether a path, all its links followed, is below the folder.
    package func isInside(_ path: String) -> Bool {
        guard let top = Self.resolved(root), let real = Self.resolved(path) else { return false }
        return real.hasPrefix(top == "/" ? top : "\(top)/")
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// The names in a folder that are not hidden; those that are not UTF-8 are no names of ours.
    private static func names(in folder: String) -> [String]? {
        guard let handle = unsafe opendir(folder) else { return nil }
        defer { unsafe closedir(handle) }
        var names: [String] = []
        while let entry = unsafe readdir(handle) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(validatingCString: $0)
                }
            }
            if let name, !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}
