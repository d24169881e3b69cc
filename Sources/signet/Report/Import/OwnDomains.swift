import Configuration
import Foundation
import MailSyntax

/// Whose reports are counted: those about these domains and what is below them.
struct OwnDomains {
    /// The domains; nil where all count.
    private let domains: Set<String>?

    /// The configuration that says what is signed.
    private static let configuration = "/etc/signet/dkim.conf"
    /// Where signet key keeps keys, a folder for each domain.
    private static let keys = "/etc/signet/keys"

    /// What root has found for the service that imports, which sees no keys: a domain a line.
    private static let found = "/run/signet-reports.domains"
    private static let mostFound = 1 << 20

    /// The domains, in order; none where all count.
    var list: [String] { domains?.sorted() ?? [] }

    /// Every domain.
    static let any = OwnDomains(domains: nil)

    private init(domains: Set<String>?) { self.domains = domains }

    /// These domains.
    init(_ domains: [DomainName]) { self.domains = Set(domains.map(\.ascii)) }

    /// The domains that this host signs for, by the configuration of signet-dkim and its keys; nil where there is none.
    ///
    /// - Parameters:
    ///   - configuration: the configuration that says what is signed.
    ///   - keys: where keys are if it does not say so.
    ///   - found: a file with domains that are ours besides; nil where it is made anew of these.
    /// - Returns: the domains.
    static func learnt(
        configuration: String = configuration, keys: String = keys, found: String? = found
    ) -> OwnDomains? {
        var keys = keys
        var names: Set<String> = []
        func take(_ text: some StringProtocol) {
            let bare = text.hasPrefix("*.") ? String(text.dropFirst(2)) : String(text)
            let host = bare.split(separator: "@").last.map(String.init) ?? bare
            if let name = try? DomainName(host), name.isHostName, name.labelCount > 1 {
                names.insert(name.ascii)
            }
        }
        if FileManager.default.isReadableFile(atPath: configuration) {
            let reader = ConfigurationReader(
                schema: ConfigurationSchema([
                    DirectiveSpec("Domain", .dataSet, "Domains whose mail is signed."),
                    DirectiveSpec("KeyTable", .dataSet, "Names of keys."),
                    DirectiveSpec("KeyTableEd25519", .dataSet, "The same, for Ed25519."),
                    DirectiveSpec("SigningTable", .dataSet, "Sender addresses."),
                    DirectiveSpec("KeyDirectory", .text, "A folder for each domain."),
                ]),
                file: configuration, passingOverOthers: true)
            for entry in reader.dataSet("Domain")?.entries ?? [] { take(entry.key) }
            for entry in reader.dataSet("SigningTable")?.entries ?? [] { take(entry.key) }
            for table in ["KeyTable", "KeyTableEd25519"] {
                for entry in reader.dataSet(table)?.entries ?? [] {
                    take(entry.fields(atMost: 3).first ?? "")
                }
            }
            keys = reader.text("KeyDirectory") ?? keys
        }
        for folder in (try? FileManager.default.contentsOfDirectory(atPath: keys)) ?? [] {
            take(folder)
        }
        let lines = found.flatMap { FileManager.default.contents(atPath: $0) } ?? Data()
        for line in String(decoding: lines.prefix(mostFound), as: UTF8.self).split(separator: "\n")
        { take(line) }
        return names.isEmpty ? nil : OwnDomains(domains: names)
    }

    /// Whether a report about a domain counts.
    func contains(_ domain: String) -> Bool {
        guard let domains else { return true }
        var rest = domain[...]
        while !rest.isEmpty {
            if domains.contains(String(rest)) { return true }
            guard let dot = rest.firstIndex(of: ".") else { break }
            rest = rest[rest.index(after: dot)...]
        }
        return false
    }
}
