internal import Configuration
internal import DomainKeys
package import MailSyntax

extension SignersView {
    /// The configuration of the signer.
    package static let configuration = "/etc/signet/dkim.conf"
    /// Where `signet setup` and `signet key` put keys.
    private static let keyFolder = "/etc/signet/keys"

    /// Reads the signer's configuration in a tree, its tables and keys; where there is none, the folder of keys.
    ///
    /// What is wrong with the configuration is for the signer's own check to say.
    package init(_ tree: HostFiles) {
        self.init(KeyLoader(tree))
    }

    private init(_ loader: KeyLoader) {
        let tree = loader.tree
        guard let file = SuiteConfiguration("dkim", tree) else {
            self.init(folder: Self.keyFolder, loader)
            return
        }
        guard file.text("Mode") != "v" else {
            self.init()
            return
        }
        let named =
            file.isSet("SigningTable")
            ? Self.tables(file, loader) : Self.domains(file, loader)
        self = Self.adding(file.text("KeyDirectory"), to: named, file, loader)
    }

    /// Keys that were named one by one, `DOMAIN:SELECTOR:FILE`.
    package init(
        keys: [(domain: DomainName, selector: DomainName, path: String)], _ tree: HostFiles
    ) {
        let loader = KeyLoader(tree)
        let loaded = keys.map { loader.key($0.domain, $0.selector, path: $0.path) }
        self.init(source: "the keys given", domains: Self.distinct(keys.map(\.domain))) { domain in
            loaded.filter { $0.domain == domain }
        }
    }

    /// Keys at `DOMAIN/SELECTOR.private` in a folder.
    private init(folder: String, _ loader: KeyLoader) {
        let tree = loader.tree
        var keys: [KeyInUse] = []
        for name in tree.names(in: folder) {
            guard let domain = try? DomainName(name), domain.labelCount > 1 else { continue }
            for file in tree.names(in: "\(folder)/\(name)") where file.hasSuffix(".private") {
                guard let selector = try? DomainName(file.dropLast(8)) else { continue }
                keys.append(
                    loader.key(domain, selector, path: "\(folder)/\(name)/\(file)"))
            }
        }
        guard !keys.isEmpty else {
            self.init()
            return
        }
        let loaded = keys
        self.init(source: folder, domains: Self.distinct(keys.map(\.domain))) { domain in
            loaded.filter { $0.domain == domain }
        }
    }

    // MARK: KeyDirectory

    /// A plan, and for senders that it has no key for those in the folder of KeyDirectory.
    private static func adding(
        _ folder: String?, to named: SignersView, _ file: SuiteConfiguration, _ loader: KeyLoader
    ) -> SignersView {
        guard let folder, folder.hasPrefix("/") else { return named }
        let keys = KeyTree(loader.tree.place(folder))
        let withSubdomains = file.boolean("SubDomains")
        let domains = named.domains + (keys.domains()?.domains ?? [])
        return SignersView(source: file.path, domains: distinct(domains)) { sender in
            let own = named.keys(for: sender)
            guard own.isEmpty else { return own }
            var candidate: DomainName? = sender
            while let domain = candidate, domain.labelCount > 0 {
                if case .selectors(let selectors) = keys.selection(of: domain) {
                    return selectors.map { selector in
                        let name = "\(domain.ascii)/\(selector.ascii)\(KeyTree.keySuffix)"
                        return loader.key(domain, selector, path: "\(folder)/\(name)")
                    }
                }
                candidate = withSubdomains ? domain.parent : nil
            }
            return []
        }
    }

    // MARK: Domain, Selector, KeyFile

    private static func domains(_ file: SuiteConfiguration, _ loader: KeyLoader) -> SignersView {
        let entries = file.dataSet("Domain")?.entries ?? []
        let domains = entries.compactMap { try? DomainName($0.key) }
        let withSubdomains = file.boolean("SubDomains")
        let pairs = [("KeyFile", "Selector"), ("KeyFileEd25519", "SelectorEd25519")].compactMap {
            path, selector in
            file.text(path).flatMap { path in
                file.text(selector).flatMap { try? DomainName($0) }.map { (path, $0) }
            }
        }
        return SignersView(source: file.path, domains: distinct(domains)) { sender in
            let signer = domains.first {
                sender == $0 || (withSubdomains && sender.isSubdomain(of: $0))
            }
            guard let signer else { return [] }
            return pairs.map { loader.key(signer, $0.1, path: $0.0) }
        }
    }

    // MARK: SigningTable, KeyTable

    private static func tables(_ file: SuiteConfiguration, _ loader: KeyLoader) -> SignersView {
        let table = file.dataSet("SigningTable") ?? DataSet()
        let takesAll = file.boolean("MultipleSignatures")
        var book: [String: [DataSet.Entry]] = [:]
        for directive in ["KeyTable", "KeyTableEd25519"] {
            for entry in file.dataSet(directive)?.entries ?? [] {
                book[entry.key.lowercased(), default: []].append(entry)
            }
        }
        let keyBook = book
        let domains = table.entries.compactMap { entry in
            (entry.key.split(separator: "@").last).flatMap { try? DomainName($0) }
                .flatMap { $0.isHostName && $0.labelCount > 1 ? $0 : nil }
        }
        return SignersView(source: file.path, domains: distinct(domains)) { sender in
            var lines = table.entries(localPart: "postmaster", domain: sender)
            // A table may name people, and not the whole domain.
            if lines.isEmpty {
                let suffix = "@\(sender.ascii)"
                lines = table.entries.filter { $0.key.lowercased().hasSuffix(suffix) }
            }
            return lines.prefix(takesAll ? lines.count : 1).flatMap { line in
                let fields = line.fields(atMost: 2)
                let name = fields.first == "%" ? sender.ascii : (fields.first ?? "")
                let identity = fields.count == 2 ? Self.domain(ofIdentity: fields[1], sender) : nil
                return (keyBook[name.lowercased()] ?? []).compactMap {
                    key(line: $0, sender, identity, loader)
                }
            }
        }
    }

    /// The key of a line of a key table, `domain:selector:path[:algorithm]`.
    private static func key(
        line: DataSet.Entry, _ sender: DomainName, _ identity: DomainName?, _ loader: KeyLoader
    ) -> KeyInUse? {
        let fields = line.fields(atMost: 4)
        guard fields.count >= 3, let selector = try? DomainName(fields[1]) else { return nil }
        let domain = fields[0] == "%" ? sender : try? DomainName(fields[0])
        guard let domain else { return nil }
        let path = fields[2].split(separator: "%", omittingEmptySubsequences: false)
            .joined(separator: sender.ascii)
        return loader.key(domain, selector, identity: identity, path: path)
    }

    private static func domain(ofIdentity text: String, _ sender: DomainName) -> DomainName? {
        let filled = text.split(separator: "%", omittingEmptySubsequences: false)
            .joined(separator: sender.ascii)
        return filled.split(separator: "@").last.flatMap { try? DomainName($0) }
    }

    private static func distinct(_ domains: [DomainName]) -> [DomainName] {
        var seen: Set<DomainName> = []
        return domains.filter { seen.insert($0).inserted }
    }
}
