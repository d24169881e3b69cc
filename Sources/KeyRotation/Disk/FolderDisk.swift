package import DomainKeys
internal import Glibc
package import MailCrypto
package import MailSyntax

/// A rotation's files in a `KeyDirectory`.
///
/// Everything below the directory is opened step by step, without following links, because root may work
/// in folders that the daemon's user can write to.
package struct FolderDisk: KeyDisk {
    /// The keys' folder.
    package let tree: KeyTree
    /// Where revealed keys go; nil for nowhere.
    package let revealDirectory: String?

    /// The longest key file, in octets.
    private static let keySizeLimit = 65_536

    /// Names the folders.
    package init(_ tree: KeyTree, revealDirectory: String? = nil) {
        self.tree = tree
        self.revealDirectory = revealDirectory
    }

    package func keys(of domain: DomainName) throws(DiskFailure) -> [DomainRotation.Lying] {
        guard let selectors = tree.selectors(of: domain) else { return [] }
        var found: [DomainRotation.Lying] = []
        for selector in selectors {
            guard let key = try? publicKey(selector, of: domain),
                let path = tree.keyFile(selector, of: domain)
            else { continue }
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { continue }
            found.append(
                DomainRotation.Lying(
                    selector, KeyKind(key.algorithm), made: max(0, Int64(status.st_mtim.tv_sec))))
        }
        return found
    }

    package func signing(_ domain: DomainName) throws(DiskFailure) -> [DomainName]? {
        guard let octets = try contents(SigningList.fileName, of: domain, SigningList.sizeLimit)
        else { return nil }
        do throws(SigningList.Fault) {
            return try SigningList(parsing: octets).selectors
        } catch {
            throw DiskFailure("\(tree.root)/\(domain)/\(SigningList.fileName): \(error)")
        }
    }

    package func writeSigning(
        _ selectors: [DomainName], of domain: DomainName
    ) throws(DiskFailure) {
        let text = Array(SigningList(selectors).text.utf8)
        try DomainFolder(tree, domain, makes: true)
            .replace(SigningList.fileName, text.span, mode: 0o644)
    }

    package func state(of domain: DomainName) throws(DiskFailure) -> [UInt8]? {
        try contents(DomainRotation.fileName, of: domain, DomainRotation.sizeLimit)
    }

    package func writeState(_ text: String, of domain: DomainName) throws(DiskFailure) {
        try DomainFolder(tree, domain, makes: true)
            .replace(DomainRotation.fileName, Array(text.utf8).span, mode: 0o644)
    }

    package func makeKey(
        _ selector: DomainName, _ kind: KeyKind, bits: Int, of domain: DomainName
    ) throws(DiskFailure) {
        let folder = try DomainFolder(tree, domain, makes: true)
        let name = selector.ascii + KeyTree.keySuffix
        guard !folder.has(name) else { return }
        let key: PrivateKey
        do throws(KeyError) {
            key =
                switch kind {
                case .rsa: try PrivateKey.generateRSA(bits: bits)
                case .ed25519: try PrivateKey.generateEd25519()
                }
        } catch {
            throw DiskFailure("no key could be made: \(error)")
        }
        try key.withPEM { pem throws(DiskFailure) in try folder.replace(name, pem, mode: 0o600) }
    }

    package func publicKey(
        _ selector: DomainName, of domain: DomainName
    ) throws(DiskFailure) -> PublicKey {
        let name = selector.ascii + KeyTree.keySuffix
        let found = try DomainFolder(tree, domain, makes: false)
            .contents(name, limit: Self.keySizeLimit)
        guard var octets = found else {
            throw DiskFailure("the key \(selector) is not in \(tree.root)/\(domain)")
        }
        defer { wipe(&octets) }
        do throws(KeyError) {
            return try PrivateKey(octets).publicKey
        } catch {
            throw DiskFailure("\(tree.root)/\(domain)/\(name): \(error)")
        }
    }

    package func destroyKey(
        _ selector: DomainName, of domain: DomainName
    ) throws(DiskFailure) {
        try DomainFolder(tree, domain, makes: false).destroy(selector.ascii + KeyTree.keySuffix)
    }

    package func revealKey(
        _ selector: DomainName, of domain: DomainName
    ) throws(DiskFailure) {
        guard let revealDirectory else { return try destroyKey(selector, of: domain) }
        let name = selector.ascii + KeyTree.keySuffix
        // Where it is gone, a run before has ended between the two. Nothing but a key is ever published.
        if var octets = try DomainFolder(tree, domain, makes: false)
            .contents(name, limit: Self.keySizeLimit)
        {
            defer { wipe(&octets) }
            guard (try? PrivateKey(octets)) != nil else {
                throw DiskFailure("\(tree.root)/\(domain)/\(name) is not a key")
            }
            try DomainFolder(KeyTree(revealDirectory), domain, makes: true)
                .replace(name, octets.span, mode: 0o644)
        }
        try destroyKey(selector, of: domain)
    }

    private func contents(
        _ name: String, of domain: DomainName, _ limit: Int
    ) throws(DiskFailure) -> [UInt8]? {
        guard tree.hasFolder(domain) else { return nil }
        return try DomainFolder(tree, domain, makes: false).contents(name, limit: limit)
    }
}
