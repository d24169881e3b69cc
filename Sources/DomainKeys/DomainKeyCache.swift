package import MailCrypto
package import MailSyntax
internal import Threads

/// A key of a domain's folder, ready to sign.
package struct FolderKey: Sendable {
    /// Its selector.
    package let selector: DomainName
    /// The key itself.
    package let key: PrivateKey
}

/// The keys of a ``KeyTree`` that have signed lately.
///
/// A domain's keys are read when it first signs. Before each use the stamps of its folder, of `signing`
/// and of the key files are compared, a few system calls beside a signature's thousand: a key that is
/// added, replaced or taken out of `signing` counts with the next message, without a reload, and a
/// reload reads nothing again that has not changed. That a domain has no folder is one such call, so
/// that strangers' domains fill nothing.
package final class DomainKeyCache: Sendable {
    /// What reading one key file gave.
    package enum Reading: Sendable {
        /// The key, and what the log should say of it.
        case key(PrivateKey, warnings: [String])
        /// It is of no use; the reason for the log.
        case fault(String)
    }

    /// What a domain signs with.
    package enum Outcome: Sendable {
        /// These keys; the warnings come once, with the reading.
        case keys([FolderKey], warnings: [String])
        /// It has no folder, or its folder says that nothing signs.
        case none(String)
        /// It should sign, and cannot.
        case fault(String)
    }

    private struct Entry: Sendable {
        let stamps: [FileStamp?]
        let paths: [String]
        let outcome: Outcome
    }

    /// Two generations: when the young one is full the old one is forgotten and the young one is old.
    private struct Generations: Sendable {
        var young: [DomainName: Entry] = [:]
        var old: [DomainName: Entry] = [:]
    }

    /// How many domains' keys a generation holds.
    package static let generationLimit = 4096

    /// The keys' folder.
    package let tree: KeyTree
    private let kept = Locked(Generations())
    private let read: @Sendable (String) -> Reading

    /// Makes an empty cache over a function that reads and checks one key file.
    package init(_ tree: KeyTree, read: @escaping @Sendable (String) -> Reading) {
        self.tree = tree
        self.read = read
    }

    /// What a domain signs with now.
    package func keys(for domain: DomainName) -> Outcome {
        let none = Outcome.none("no folder \(domain) in \(tree.root)")
        guard let folder = tree.folder(of: domain) else { return none }
        switch tree.look(for: domain) {
        case .present: break
        case .absent: return none
        case .unreachable(let reason): return .fault(reason)
        }
        if let entry = entry(for: domain), entry.paths.map(FileStamp.init) == entry.stamps {
            return entry.outcome
        }
        return load(domain, folder: folder)
    }

    private func entry(for domain: DomainName) -> Entry? {
        kept.withLock { kept in
            if let entry = kept.young[domain] { return entry }
            guard let entry = kept.old.removeValue(forKey: domain) else { return nil }
            Self.insert(entry, domain, &kept)
            return entry
        }
    }

    private static func insert(_ entry: Entry, _ domain: DomainName, _ kept: inout Generations) {
        if kept.young.count >= generationLimit {
            kept.old = kept.young
            kept.young = [:]
        }
        kept.young[domain] = entry
    }

    private func load(_ domain: DomainName, folder: String) -> Outcome {
        let before = [folder, "\(folder)/\(SigningList.fileName)"]
        // Stamps are taken before anything is read: what changes meanwhile is read again the next time.
        let stamps = before.map(FileStamp.init)
        let selection = tree.selection(of: domain)
        var paths: [String] = []
        if case .selectors(let selectors) = selection {
            paths = selectors.compactMap { tree.keyFile($0, of: domain) }
        }
        let keyStamps = paths.map(FileStamp.init)
        let outcome = outcome(of: selection, paths, domain)
        let lasting: Outcome =
            if case .keys(let keys, _) = outcome { .keys(keys, warnings: []) } else { outcome }
        let entry = Entry(stamps: stamps + keyStamps, paths: before + paths, outcome: lasting)
        kept.withLock { Self.insert(entry, domain, &$0) }
        return outcome
    }

    private func outcome(
        of selection: KeyTree.Selection, _ paths: [String], _ domain: DomainName
    ) -> Outcome {
        switch selection {
        case .absent: return .none("no folder \(domain) in \(tree.root)")
        case .fault(let reason): return .fault(reason)
        case .selectors(let selectors):
            guard !selectors.isEmpty else {
                return .none("\(tree.root)/\(domain) has no key that signs")
            }
            var keys: [FolderKey] = []
            var warnings: [String] = []
            for (selector, path) in zip(selectors, paths) {
                guard tree.isInside(path) else {
                    return .fault("\(path) is not there, or leads out of \(tree.root)")
                }
                switch read(path) {
                case .key(let key, let remarks):
                    keys.append(FolderKey(selector: selector, key: key))
                    warnings += remarks
                case .fault(let reason): return .fault(reason)
                }
            }
            return .keys(keys, warnings: warnings)
        }
    }
}
