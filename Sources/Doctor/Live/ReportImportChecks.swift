internal import PostfixConfiguration

/// Whether the reports that others send come in: the alias, the service that imports them, and whose mail it believes.
enum ReportImportChecks {
    private static let user = "signet-reports"
    private static let unit = "signet-reports-import.path"
    private static let folder = "/var/lib/signet-reports/Maildir/new"
    private static let options = "/etc/default/signet-reports"

    // MARK: Aliases

    /// Of two lines for one name postalias(1) takes the first, with no more than a warning.
    static let aliases = Check.ofFiles(
        "host.aliases", "Aliases", fine: "no alias is there twice", isInbound: true
    ) { _, tree in
        let entries = MailAliases(tree).entries
        return Dictionary(grouping: entries, by: \.name).filter { $0.value.count > 1 }
            .sorted { $0.key < $1.key }.map { twice($0.key, $0.value) }
    }

    private static func twice(_ name: String, _ entries: [MailAliases.Entry]) -> Diagnosis {
        let targets = Shown.list(entries.map { $0.isContinued ? "\($0.target) …" : $0.target })
        // Reports are read by the import where it has been asked for.
        let kept = entries.firstIndex { $0.target == user } ?? 0
        let unwanted = entries.indices.filter { $0 != kept }.map { entries[$0] }
        let isPlain =
            unwanted.count == 1 && !unwanted[0].isContinued
            && entries.count { $0.line == unwanted[0].line } == 1
        return Diagnosis(
            .aliasTwice, MailAliases.path,
            "\(Shown.text(name)) is there \(entries.count) times, for \(targets)",
            mend: isPlain
                ? .line(nil, file: MailAliases.path, insteadOf: unwanted[0].line)
                : .words("leave one line for \(Shown.text(name)) there, and run newaliases"))
    }

    // MARK: The import

    /// Mail that has waited longer, in seconds, is not taken as it comes: the service needs a minute where it fails.
    private static let patience: Int64 = 3_600

    /// Whether mail with reports is taken as it comes.
    static let service = Check.ofFiles(
        "signet.import", "Reports of others", fine: "where they come here, they are imported",
        isInbound: true
    ) { host, tree in
        foreignName(host, tree) + stopped(host, tree)
    }

    /// Mail that is there, or is to come by an alias, and that nothing takes.
    private static func stopped(_ host: HostView, _ tree: HostFiles) -> [Diagnosis] {
        let names = tree.names(in: folder)
        var seen: Set<String> = []
        // Of several lines for one name the first counts.
        let alias = MailAliases(tree).entries
            .first { seen.insert($0.name).inserted && $0.target == user }
        let mails =
            names.isEmpty
            ? alias.map { "\(MailAliases.path) sends mail for \(Shown.text($0.name)) to it" }
            : (names.count == 1 ? "1 mail is" : "\(names.count) mails are") + " in \(folder)"
        guard let mails else { return [] }
        guard isInstalled(tree) else {
            guard let alias else { return [] }
            let name = Shown.text(alias.name)
            return [
                Diagnosis(
                    .importStopped, MailAliases.path,
                    "it sends mail for \(name) to \(user), and signet-tools, which reads it, is not "
                        + "installed",
                    mend: .words(
                        "install signet-tools, or have the line for \(name) lead elsewhere"))
            ]
        }
        guard let running = host.running else {
            return isEnabled(tree) ? [] : [notEnabled("it is not enabled, and \(mails)")]
        }
        guard let state = running.unitState(unit) else {
            return [.skipped("signet.import", unit, "systemd gives no answer")]
        }
        guard state == "active" else {
            return [
                Diagnosis(
                    .importStopped, unit, "systemd says that it is \(state), and \(mails)",
                    mend: .command(
                        "systemctl \(state == "failed" ? "restart" : "enable --now") \(unit)"))
            ]
        }
        guard isEnabled(tree) else {
            return [notEnabled("it runs, and does not start with the host: it is not enabled")]
        }
        return waiting(names, running)
    }

    private static func notEnabled(_ what: String) -> Diagnosis {
        Diagnosis(.importStopped, unit, what, mend: .command("systemctl enable --now \(unit)"))
    }

    private static func isInstalled(_ tree: HostFiles) -> Bool {
        ["/lib/systemd/system", "/usr/lib/systemd/system", "/etc/systemd/system"]
            .contains { tree.exists("\($0)/\(unit)") }
    }

    private static func isEnabled(_ tree: HostFiles) -> Bool {
        tree.names(in: "/etc/systemd/system/multi-user.target.wants").contains(unit)
    }

    private static func waiting(_ names: [String], _ running: RunningHost) -> [Diagnosis] {
        // The names of a Maildir begin with the time of delivery.
        let oldest = names.compactMap { Int64($0.prefix { $0 != "." }) }.min()
        guard let oldest, running.now() - oldest > patience else { return [] }
        let mails = names.count == 1 ? "1 mail is" : "\(names.count) mails are"
        return [
            Diagnosis(
                .importWaiting, folder,
                "\(mails) there, the oldest for \((running.now() - oldest) / 3_600) hours",
                mend: .command(
                    "systemctl start signet-reports-import.service; "
                        + "journalctl -u signet-reports-import -n 20"))
        ]
    }

    // MARK: Whom it believes

    private static let option = "--authserv-id"

    /// An authserv-id that no filter of this host writes.
    private static func foreignName(_ host: HostView, _ tree: HostFiles) -> [Diagnosis] {
        let lines = (tree.text(options) ?? "").split(separator: "\n").map(String.init)
        guard let line = lines.last(where: { $0.hasPrefix("IMPORT_OPTIONS=") }),
            let given = value(of: option, in: line), tree.exists("/etc/signet/dmarc.conf"),
            let name = AuthservName.of("dmarc", tree)
                ?? host.postfix?.values["myhostname"]?.lowercased(),
            !given.lowercased().split(separator: ",").contains(Substring(name))
        else { return [] }
        // The name may stand elsewhere in the line, too.
        let right = ["=", " "].reduce(line) {
            $0.replacing("\(option)\($1)\(given)", with: "\(option)\($1)\(name)")
        }
        return [
            Diagnosis(
                .importName, options,
                "the import believes results of \(Shown.text(given)), and this host's are of \(name)",
                mend: right == line
                    ? .words("write \(option)=\(name) there")
                    : .line(right, file: options, insteadOf: line))
        ]
    }

    /// The value of an option on a command line, `--name=value` or `--name value`.
    private static func value(of option: String, in line: String) -> String? {
        let words = line.split { " =\"'\t".contains($0) }.map(String.init)
        guard let place = words.firstIndex(of: option), place + 1 < words.count else { return nil }
        return words[place + 1]
    }
}
