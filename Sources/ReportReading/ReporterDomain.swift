internal import MailSyntax

/// The organizational domain of a reporter, as far as a name alone tells it.
///
/// Reports of one reporter come from many hosts, with names and addresses that differ; duplicates are known by this domain. It is read
/// off the name, without the DNS and without a list that changes, so that the same report has the same key on every host and in
/// every year.
enum ReporterDomain {
    /// Labels below a country's domain under which registries register.
    private static let registryLabels: Set<String> = [
        "ac", "ad", "co", "com", "ed", "edu", "gob", "go", "gov", "gv", "id", "mil", "ne", "net",
        "nom", "or", "org", "school",
    ]

    /// The domain of a name or of an address; nil where the text has none.
    static func organization(of text: String) -> String? {
        let host = text.split(separator: "@").last.map(String.init) ?? text
        let trimmed = host.trimmingPrefix("<").prefix { $0 != ">" && $0 != " " }
        guard let name = try? DomainName(trimmed), name.isHostName, name.labelCount > 1
        else { return nil }
        let labels = name.labels
        let isCountry = labels.last?.utf8.count == 2
        let isRegistry = registryLabels.contains(String(labels[labels.count - 2]))
        return name.suffix(labels: isCountry && isRegistry ? 3 : 2).ascii
    }
}
