import Configuration
import DaemonKit
import Glibc
import MailAuth
import MailCrypto
import MailSyntax

/// Reads the key directives into a `KeyBook`, and reports every way in which they do not fit together.
struct KeyBookReader {
    private let reader: ConfigurationReader
    private let requiresSafeKeys: Bool
    private let files = TableKeyFiles()

    /// Prepares to read.
    init(_ reader: ConfigurationReader) {
        self.reader = reader
        requiresSafeKeys = reader.boolean("RequireSafeKeys")
    }

    /// Reads everything about keys.
    func read() -> KeyBook {
        let hasTables = reader.isSet("KeyTable") || reader.isSet("KeyTableEd25519")
        let plan: KeyBook.Plan
        if hasTables || reader.isSet("SigningTable") {
            plan = tables()
            for directive in ["Domain", "Selector", "KeyFile", "SelectorEd25519", "KeyFileEd25519"]
            where reader.isSet(directive) {
                reader.report(
                    .notice, directive, "has no effect beside KeyTable and SigningTable")
            }
        } else {
            plan = domains()
        }
        let directory = KeyDirectoryReader(reader: reader).read()
        if case .nothing = plan, !reader.isSet("KeyDirectory"), reader.text("Mode") == "s" {
            reader.report(
                .error, "Mode", "is s, but nothing says what to sign with",
                suggestion: "give KeyDirectory, or Domain, Selector and KeyFile, "
                    + "or SigningTable and KeyTable")
        }
        let check = requiresSafeKeys
        return KeyBook(
            plan: plan, vault: KeyVault { Self.load($0, requiresSafe: check) },
            directory: directory)
    }

    // MARK: Domain, Selector, KeyFile

    private func domains() -> KeyBook.Plan {
        let names = ["Domain", "Selector", "KeyFile", "SelectorEd25519", "KeyFileEd25519"]
        guard names.contains(where: reader.isSet) else { return .nothing }
        if !reader.isSet("Domain") {
            reader.report(.error, "Domain", "is missing: nothing says whose mail is signed")
        }
        let pairs = [("KeyFile", "Selector"), ("KeyFileEd25519", "SelectorEd25519")]
        var keys: [NamedKey] = []
        for (file, selector) in pairs where reader.isSet(file) || reader.isSet(selector) {
            if let key = singleKey(file: file, selector: selector) { keys.append(key) }
        }
        if !pairs.contains(where: { reader.isSet($0.0) || reader.isSet($0.1) }) {
            reader.report(
                .error, "Domain", "there is no key for it", suggestion: "give Selector and KeyFile")
        }
        checkAlgorithm(keys)
        let domains = reader.dataSet("Domain") ?? DataSet()
        for entry in domains.entries
        where domains.matching == .equality && entry.key != "*" && !isDomain(entry.key) {
            if entry.key.hasPrefix("*.") {
                let parent = entry.key.dropFirst(2)
                reader.report(
                    ConfigurationProblem(
                        .warning, at: entry.location, directive: "Domain",
                        "\"\(entry.key)\" is a pattern, and no domain matches it here",
                        suggestion: "write \(parent), and SubDomains yes"))
            } else {
                reader.report(
                    ConfigurationProblem(
                        .error, at: entry.location, directive: "Domain",
                        "\"\(entry.key)\" is not a domain"))
            }
        }
        return .domains(domains, withSubdomains: reader.boolean("SubDomains"), keys)
    }

    private func singleKey(file: String, selector: String) -> NamedKey? {
        // Both are looked at even where one is missing, so that one run reports everything.
        let place = reader.location(of: file) ?? SourceLocation(file: reader.file)
        let key = reader.text(file).flatMap { self.key(inFile: $0, directive: file, at: place) }
        let name = reader.text(selector).flatMap {
            self.selector($0, directive: selector, at: reader.location(of: selector) ?? place)
        }
        for (directive, other) in [(file, selector), (selector, file)]
        where !reader.isSet(directive) {
            reader.report(.error, directive, "is missing beside \(other)")
        }
        guard let key, let name else { return nil }
        return NamedKey(
            domain: nil, selector: name, source: .loaded(key), file: reader.text(file))
    }

    private func checkAlgorithm(_ keys: [NamedKey]) {
        guard let wanted = reader.text("SignatureAlgorithm") else { return }
        let made = keys.compactMap { key in
            if case .loaded(let key) = key.source { key.signatureAlgorithm.rawValue } else { nil }
        }
        guard !made.isEmpty, !made.contains(wanted) else { return }
        reader.report(
            .error, "SignatureAlgorithm", "is \(wanted), and the key makes \(made[0])",
            suggestion: "remove the line: the key decides")
    }

    // MARK: SigningTable, KeyTable

    private func tables() -> KeyBook.Plan {
        guard reader.isSet("SigningTable") else {
            reader.report(
                .error, "SigningTable", "is missing: nothing says who signs with KeyTable's keys")
            return .nothing
        }
        var book: [String: [NamedKey]] = [:]
        // Names whose keys are faulty count as known: their fault is reported once, where it is.
        var known: Set<String> = []
        let tables = ["KeyTable", "KeyTableEd25519"].map { directive in
            (directive, entries: reader.dataSet(directive)?.entries ?? [])
        }
        files.plan(for: tables.flatMap(\.entries))
        for (directive, entries) in tables {
            var names: Set<String> = []
            for entry in entries {
                known.insert(entry.key.lowercased())
                guard isNew(entry, directive, &names) else { continue }
                guard let key = tableKey(entry, directive: directive) else { continue }
                book[entry.key.lowercased(), default: []].append(key)
            }
        }
        if files.areDeferred {
            reader.report(
                .notice, reader.isSet("KeyTable") ? "KeyTable" : "KeyTableEd25519",
                "\(files.count) key files: each is read when it first signs",
                suggestion: "signet key list reads them")
        }
        let set = reader.dataSet("SigningTable") ?? DataSet()
        reader.warnOfPatterns(in: set, directive: "SigningTable")
        for entry in set.entries {
            guard let line = SigningTable.Line(entry) else {
                reader.report(
                    ConfigurationProblem(
                        .error, at: entry.location, directive: "SigningTable",
                        "\"\(entry.key)\" names no key",
                        suggestion: "write the address, white space, and a name from KeyTable"))
                continue
            }
            guard line.name != "%", !known.contains(line.name.lowercased()) else { continue }
            reader.report(
                ConfigurationProblem(
                    reader.boolean("CheckSigningTable") ? .error : .warning, at: entry.location,
                    directive: "SigningTable", "there is no key named \"\(line.name)\" in KeyTable")
            )
        }
        return .tables(
            SigningTable(set: set, takesAll: reader.boolean("MultipleSignatures")), keys: book)
    }

    /// Whether a line of a key table is the first with its name, and the name is one.
    private func isNew(
        _ entry: DataSet.Entry, _ directive: String, _ names: inout Set<String>
    ) -> Bool {
        if entry.key.contains("*") {
            reader.report(
                ConfigurationProblem(
                    .error, at: entry.location, directive: directive,
                    "\"\(entry.key)\" is a pattern, and here a name is wanted",
                    suggestion: "give the key a name, and use % for the sender's domain in its line"
                ))
            return false
        }
        guard !names.insert(entry.key.lowercased()).inserted else { return true }
        reader.report(
            ConfigurationProblem(
                .warning, at: entry.location, directive: directive,
                "\"\(entry.key)\" is listed twice: the first one counts",
                suggestion: "for two signatures use two names and MultipleSignatures"))
        return false
    }

    private func isDomain(_ text: String) -> Bool {
        guard let name = try? DomainName(text) else { return false }
        return name.isHostName && name.labelCount > 0
    }

    /// Reads one line of a key table: `domain:selector:key[:algorithm]`.
    private func tableKey(_ entry: DataSet.Entry, directive: String) -> NamedKey? {
        func fail(_ message: String, _ way: String? = nil) {
            reader.report(
                ConfigurationProblem(
                    .error, at: entry.location, directive: directive, message, suggestion: way))
        }
        let fields = entry.fields(atMost: 4)
        guard fields.count >= 3 else {
            fail("\"\(entry.key)\" has no key", "write NAME DOMAIN:SELECTOR:/PATH/TO/KEY")
            return nil
        }
        let domain: DomainName?
        if fields[0] == "%" {
            domain = nil
        } else if let name = try? DomainName(fields[0]), name.isHostName, name.labelCount > 0 {
            domain = name
        } else {
            fail("\"\(fields[0])\" is not a domain")
            return nil
        }
        let name = selector(fields[1], directive: directive, at: entry.location)
        guard let source = source(fields[2], directive: directive, at: entry.location),
            let selector = name
        else { return nil }
        var algorithm: SignatureAlgorithm?
        if fields.count == 4 {
            let named = SignatureAlgorithm(rawValue: fields[3].lowercased())
            if case .loaded(let key) = source {
                let made = key.signatureAlgorithm
                if named != made { fail("the key makes \(made.rawValue), not \(fields[3])") }
            } else if named == nil {
                let known = SignatureAlgorithm.allCases.map(\.rawValue)
                fail(
                    "\"\(fields[3])\" is no algorithm of a key",
                    "write \(known.joined(separator: " or "))")
            }
            algorithm = named
        }
        return NamedKey(
            domain: domain, selector: selector, source: source,
            file: fields[2].hasPrefix("/") ? fields[2] : nil, algorithm: algorithm)
    }

    /// Reads a key's place: a path, a path with `%`, or the key itself.
    private func source(
        _ text: String, directive: String, at place: SourceLocation
    ) -> KeySource? {
        if text.hasPrefix("./") || text.hasPrefix("../") {
            let path = reader.absolutePath(text, directive: directive, at: place)
            return source(inFile: path, directive: directive, at: place)
        }
        guard text.hasPrefix("/") else {
            guard !Self.looksLikePath(text) else {
                let folder = reader.baseFolder.map { " in \($0)" } ?? ""
                reader.report(
                    ConfigurationProblem(
                        .error, at: place, directive: directive,
                        "\"\(text)\" is neither a key nor a path",
                        suggestion: "write the path in full, or ./\(text) for a file\(folder)"))
                return nil
            }
            var contents = Array(text.utf8)
            return parsed(&contents, what: "the key", directive: directive, at: place)
                .map(KeySource.loaded)
        }
        if text.contains("%") { return .perDomain(path: text) }
        return source(inFile: text, directive: directive, at: place)
    }

    /// A key in a file of a table's: read now, once for all lines that name it, or only looked for where there are very many.
    private func source(
        inFile path: String, directive: String, at place: SourceLocation
    ) -> KeySource? {
        guard files.areDeferred else {
            return files.key(path) { key(inFile: path, directive: directive, at: place) }
                .map(KeySource.loaded)
        }
        warnOfAge(path, directive: directive, at: place)
        // As the daemon's user, which the configuration is read as.
        guard unsafe faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 else {
            reader.report(
                ConfigurationProblem(
                    .error, at: place, directive: directive,
                    "the key file \(path) cannot be read: \(SystemError.last)"))
            return nil
        }
        return .deferred(path: path)
    }

    /// Whether what stands for a key is more likely a path without its "./": no key in base64 has a dot or is as short.
    private static func looksLikePath(_ text: String) -> Bool {
        !text.contains("-----") && (text.contains(".") || text.utf8.count < shortestKey)
    }

    /// An Ed25519 seed of 32 octets in base64 (RFC 8463, section 4), without its padding.
    private static let shortestKey = 43

    // MARK: Pieces

    private func selector(
        _ text: String, directive: String, at place: SourceLocation
    ) -> DomainName? {
        // RFC 6376, section 3.1: a selector is one or more labels.
        if let name = try? DomainName(text), name.isHostName, name.labelCount > 0 { return name }
        reader.report(
            ConfigurationProblem(
                .error, at: place, directive: directive, "\"\(text)\" is not a selector"))
        return nil
    }

    func key(
        inFile path: String, directive: String, at place: SourceLocation
    ) -> PrivateKey? {
        warnOfAge(path, directive: directive, at: place)
        guard
            var contents = reader.keyFile(
                path, requireSafe: requiresSafeKeys, directive: directive, at: place)
        else { return nil }
        return parsed(&contents, what: path, directive: directive, at: place)
    }

    /// Warns of a key that is older than KeyMaximumAge, by its file's time.
    private func warnOfAge(_ path: String, directive: String, at place: SourceLocation) {
        guard let maximum = reader.duration("KeyMaximumAge")?.components.seconds, maximum > 0 else {
            return
        }
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return }
        let (age, overflow) = Int64(time(nil)).subtractingReportingOverflow(
            Int64(status.st_mtim.tv_sec))
        guard !overflow, age > maximum else { return }
        reader.report(
            ConfigurationProblem(
                .warning, at: place, directive: directive,
                "the key \(path) is \(age / 86_400) days old, older than KeyMaximumAge",
                suggestion: "make a new one with signet key rotate"))
    }

    private func parsed(
        _ contents: inout [UInt8], what: String, directive: String, at place: SourceLocation
    ) -> PrivateKey? {
        // In place: nobody else holds these octets.
        defer { wipe(&contents) }
        do {
            let key = try PrivateKey(contents)
            // RFC 8301, section 3.2: signers SHOULD use keys of at least 2048 bits.
            if case .rsa(let bits) = key.algorithm, bits < 2048 {
                reader.report(
                    ConfigurationProblem(
                        .warning, at: place, directive: directive,
                        "\(what) has \(bits) bits; some verifiers want 2048",
                        suggestion: "make a new one with signet key new"))
            }
            return key
        } catch {
            reader.report(
                ConfigurationProblem(
                    .error, at: place, directive: directive, "\(what): \(error)"))
            return nil
        }
    }

    /// Reads a key file that depends on the sender's domain, while the daemon runs.
    private static func load(_ path: String, requiresSafe: Bool) -> KeyVault.Outcome {
        let reader = ConfigurationReader(
            schema: SignetDKIM.description.schema, text: "", named: path)
        guard unsafe access(path, F_OK) == 0 || errno != ENOENT else { return .missing(path: path) }
        let book = KeyBookReader(reader, requiresSafeKeys: requiresSafe)
        let place = SourceLocation(file: path)
        if let key = book.key(inFile: path, directive: "KeyTable", at: place) { return .key(key) }
        return .fault(reason: reader.problems.first?.message ?? "\(path) cannot be used")
    }

    init(_ reader: ConfigurationReader, requiresSafeKeys: Bool) {
        self.reader = reader
        self.requiresSafeKeys = requiresSafeKeys
    }
}

extension PrivateKey {
    /// The algorithm of the signatures that this key makes.
    var signatureAlgorithm: SignatureAlgorithm { SignatureAlgorithm(algorithm) }
}
