import Configuration
import DomainKeys
import KeyRotation
import MailSyntax

/// The keys that signet-dkim's configuration names elsewhere than by KeyDirectory, and signs with first.
///
/// A domain that has one does not rotate: the daemon would go on signing with it when its record has been taken away.
struct NamedKeys {
    /// Where a domain's key is named: the directive, and the file where it is known.
    private var places: [String: String] = [:]
    /// Where a key is named for domains by a pattern: for all, as far as is known here.
    private var patternPlace: String?
    /// Whether the domains of a key have their subdomains with them.
    private let includesSubdomains: Bool

    /// Collects them; `tree` is that of KeyDirectory.
    init(_ reader: ConfigurationReader, _ tree: KeyTree) {
        includesSubdomains = reader.boolean("SubDomains")
        for directive in ["KeyFile", "KeyFileEd25519"] {
            guard let path = reader.text(directive) else { continue }
            for domain in reader.dataSet("Domain")?.entries.map(\.key) ?? [] {
                add(domain, "\(directive) \(path)")
            }
            add(path, below: tree, "\(directive) \(path)")
        }
        for directive in ["KeyTable", "KeyTableEd25519"] {
            for entry in reader.dataSet(directive)?.entries ?? [] {
                let fields = entry.fields(atMost: 4)
                guard fields.count >= 3 else { continue }
                let place = "the entry \(entry.key) of \(directive)"
                add(fields[0], place)
                add(fields[2], below: tree, place)
            }
        }
    }

    private mutating func add(_ domain: String, _ place: String) {
        guard !domain.contains(where: { "*%".contains($0) }) else {
            patternPlace = patternPlace ?? place
            return
        }
        guard let name = try? DomainName(domain) else { return }
        places[name.ascii] = places[name.ascii] ?? place
    }

    /// A key file in a domain's folder counts for that domain.
    private mutating func add(_ path: String, below tree: KeyTree, _ place: String) {
        guard path.contains("%") || tree.isInside(path) else { return }
        let parts = path.split(separator: "/")
        if parts.count > 1 { add(String(parts[parts.count - 2]), place) }
    }

    private func place(of domain: DomainName) -> String? {
        if let place = places[domain.ascii] ?? patternPlace { return place }
        guard includesSubdomains else { return nil }
        var rest = domain.ascii[...]
        while let dot = rest.firstIndex(of: ".") {
            rest = rest[rest.index(after: dot)...]
            if let place = places[String(rest)] { return place }
        }
        return nil
    }

    /// Ends the work on a domain that has one.
    func check(_ domain: DomainName) throws(RotationFailure) {
        guard let place = place(of: domain) else { return }
        throw RotationFailure(
            "dkim.conf signs with \(place), which goes before KeyDirectory: take it out there and reload "
                + "signet-dkim, then its keys in KeyDirectory can rotate")
    }
}
