import Configuration
import DaemonKit
import DomainKeys
import Glibc

/// Reads KeyDirectory, and looks at it for `-n`.
///
/// At start the folder itself is looked at and nothing in it: with 100,000 domains to read their keys
/// would take half a minute.
struct KeyDirectoryReader {
    private static let directive = "KeyDirectory"
    /// With more domains than this `-n` looks at the files and does not read the keys in them.
    private static let readDomains = 1000

    let reader: ConfigurationReader

    /// The directory; nil where none is named or it cannot be used.
    func read() -> KeyDirectory? {
        guard let path = reader.text(Self.directive) else { return nil }
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            reader.report(.error, Self.directive, "\(path) cannot be reached: \(SystemError.last)")
            return nil
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            reader.report(.error, Self.directive, "\(path) is not a directory")
            return nil
        }
        guard unsafe access(path, X_OK) == 0 else {
            reader.report(
                .error, Self.directive, "\(path) cannot be entered: \(SystemError.last)",
                suggestion: "the user \(Account.effective.name) must be able to")
            return nil
        }
        let place = KeyDirectory.Place(
            tree: KeyTree(path), requiresSafe: reader.boolean("RequireSafeKeys"),
            maximumAge: reader.duration("KeyMaximumAge")?.components.seconds)
        let cache = KeyDirectory.cache(for: place) { Self.key($0, place) }
        return KeyDirectory(cache: cache, withSubdomains: reader.boolean("SubDomains"))
    }

    /// Reads and checks one key, while the daemon runs.
    private static func key(
        _ path: String, _ place: KeyDirectory.Place
    ) -> DomainKeyCache.Reading {
        let age = place.maximumAge.map { "KeyMaximumAge \($0)\n" } ?? ""
        let reader = ConfigurationReader(
            schema: SignetDKIM.description.schema, text: age, named: path)
        let book = KeyBookReader(reader, requiresSafeKeys: place.requiresSafe)
        let at = SourceLocation(file: path)
        guard let key = book.key(inFile: path, directive: directive, at: at) else {
            let fault = reader.problems.first { $0.severity == .error } ?? reader.problems.first
            return .fault(fault?.message ?? "\(path) cannot be used")
        }
        let warnings = reader.problems.filter { $0.severity == .warning }.map(\.message)
        return .key(key, warnings: warnings)
    }

    /// Looks at the whole tree, for `-n`.
    func check(_ directory: KeyDirectory) {
        let tree = directory.cache.tree
        let place = reader.location(of: Self.directive) ?? SourceLocation(file: reader.file)
        let count = tree.domains()?.domains.count ?? 0
        let readsKeys = count <= Self.readDomains
        let book = KeyBookReader(reader)
        let findings = tree.check { path in
            if readsKeys { _ = book.key(inFile: path, directive: Self.directive, at: place) }
        }
        for finding in findings {
            reader.report(
                finding.isError ? .error : .warning, Self.directive,
                finding.message.hasPrefix("/")
                    ? finding.message : "\(finding.path) \(finding.message)")
        }
        if !readsKeys {
            reader.report(
                .notice, Self.directive,
                "\(count) domains: their files were looked at, and no key was read",
                suggestion: "signet key list reads them")
        }
    }
}
