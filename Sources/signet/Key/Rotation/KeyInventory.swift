import Configuration
import DomainKeys
import KeyRotation
import MailCrypto
import MailSyntax
import SigningLog

/// The keys that signet-dkim's configuration names, wherever it does.
struct KeyInventory {
    /// A key and where it was found.
    struct Item {
        /// The domain, in words where it is that of the sender.
        let domain: String
        let selector: String
        /// The directive that names it.
        let source: String
        /// Its file; nil where a table holds the key itself.
        let file: String?
        /// What `signet key rotate` says of it, or whether it signs.
        let state: String
        /// When it was made, in seconds since 1970.
        let made: Int64?
        let key: Result<PrivateKey, KeyFault>
    }

    /// Why a key cannot be shown.
    struct KeyFault: Error {
        let description: String
    }

    /// The directives that name keys; all others are passed over.
    static let schema = ConfigurationSchema([
        DirectiveSpec("BaseDirectory", .path, "Where relative paths begin."),
        DirectiveSpec("Domain", .dataSet, "The domains of KeyFile."),
        DirectiveSpec("Selector", .text, "The selector of KeyFile."),
        DirectiveSpec("KeyFile", .path, "A key."),
        DirectiveSpec("SelectorEd25519", .text, "The selector of KeyFileEd25519."),
        DirectiveSpec("KeyFileEd25519", .path, "A key."),
        DirectiveSpec("KeyTable", .dataSet, "Keys by their names."),
        DirectiveSpec("KeyTableEd25519", .dataSet, "Keys by their names."),
        DirectiveSpec("KeyDirectory", .path, "A directory of keys."),
        DirectiveSpec("KeyMaximumAge", .duration(0...315_360_000), default: "0", "Warned of."),
        SigningLogSettings.directive,
    ])

    /// Everything that was found, in the order of the configuration.
    private(set) var items: [Item] = []

    /// Reads all keys of a configuration; `domains` limits those of KeyDirectory, nil for all.
    init(_ reader: ConfigurationReader, domains: [DomainName]?) {
        for (file, selector) in [("KeyFile", "Selector"), ("KeyFileEd25519", "SelectorEd25519")] {
            guard let path = reader.text(file) else { continue }
            let names = reader.dataSet("Domain")?.entries.map(\.key) ?? ["the sender's domain"]
            for name in names {
                add(name, reader.text(selector) ?? "?", file, path: path)
            }
        }
        for directive in ["KeyTable", "KeyTableEd25519"] {
            for entry in reader.dataSet(directive)?.entries ?? [] {
                let fields = entry.fields(atMost: 4)
                guard fields.count >= 3 else { continue }
                let domain = fields[0] == "%" ? "the sender's domain" : fields[0]
                addTableKey(domain, fields[1], directive, fields[2])
            }
        }
        if let path = reader.text("KeyDirectory") { addFolders(KeyTree(path), domains) }
        if let domains {
            let names = Set(domains.map(\.ascii))
            items.removeAll { !names.contains($0.domain.lowercased()) }
        }
    }

    private mutating func add(
        _ domain: String, _ selector: String, _ source: String, path: String
    ) {
        append(domain, selector, source, path, "signing", FileAge.made(path))
    }

    private mutating func addTableKey(
        _ domain: String, _ selector: String, _ source: String, _ key: String
    ) {
        guard key.hasPrefix("/"), !key.contains("%") else {
            let what =
                key.contains("%")
                ? "a file for each domain: \(key)"
                : "the table holds the key itself, or a relative path"
            items.append(
                Item(
                    domain: domain, selector: selector, source: source, file: nil,
                    state: "signing", made: nil, key: .failure(KeyFault(description: what))))
            return
        }
        add(domain, selector, source, path: key)
    }

    private mutating func addFolders(_ tree: KeyTree, _ domains: [DomainName]?) {
        let disk = FolderDisk(tree)
        for domain in domains ?? tree.domains()?.domains ?? [] {
            let state = (try? disk.state(of: domain)).flatMap { octets in
                octets.flatMap { try? DomainRotation(parsing: $0) }
            }
            let listed: [DomainName] =
                if case .selectors(let selectors) = tree.selection(of: domain) { selectors } else {
                    []
                }
            for selector in tree.selectors(of: domain) ?? [] {
                guard let path = tree.keyFile(selector, of: domain) else { continue }
                let managed = state?[selector]
                // The daemon obeys the list, whatever the state says.
                let stage =
                    listed.contains(selector)
                    ? "signing" : managed.map { $0.stage.rawValue } ?? "unused"
                append(
                    domain.ascii, selector.ascii, "KeyDirectory", path, stage,
                    managed?.made ?? FileAge.made(path))
            }
        }
    }

    private mutating func append(
        _ domain: String, _ selector: String, _ source: String, _ path: String, _ state: String,
        _ made: Int64?
    ) {
        let key: Result<PrivateKey, KeyFault>
        do {
            key = .success(try PrivateKeyFile.read(path))
        } catch {
            key = .failure(KeyFault(description: "\(path): \(error)"))
        }
        items.append(
            Item(
                domain: domain, selector: selector, source: source, file: path, state: state,
                made: made, key: key))
    }
}
