internal import Configuration
internal import Glibc
internal import MailCrypto
internal import MailSyntax
internal import Threads

/// Loads the keys of a tree, each file once: a key may sign for thousands of domains.
struct KeyLoader: Sendable {
    /// The files.
    let tree: HostFiles
    private let loaded = Monitor<[String: KeyInUse.Contents]>([:])

    /// Loads from a tree.
    init(_ tree: HostFiles) {
        self.tree = tree
    }

    /// The key in a file, as the configuration names it.
    func key(
        _ domain: DomainName, _ selector: DomainName, identity: DomainName? = nil, path: String
    ) -> KeyInUse {
        KeyInUse(
            domain: domain, selector: selector, identity: identity, path: path,
            contents: contents(path))
    }

    private func contents(_ path: String) -> KeyInUse.Contents {
        if let known = loaded.withLock({ $0[path] }) { return known }
        let contents = read(path)
        loaded.withLock { $0[path] = contents }
        return contents
    }

    /// Reads a key; its private half is forgotten at once.
    private func read(_ path: String) -> KeyInUse.Contents {
        guard path.hasPrefix("/") else { return .unusable("\(Shown.text(path)) is no path") }
        do {
            var octets = try tree.octets(path)
            defer { wipe(&octets) }
            return .key(try PrivateKey(octets).publicKey)
        } catch let error as FileReadError {
            if case .system(let reason) = error, reason.code == EACCES { return .hidden }
            return .unusable("it \(error)")
        } catch let error as KeyError {
            return .unusable(error.description)
        } catch {
            return .unusable("it cannot be read")
        }
    }
}
