/// Dovecot's submission service, which takes mail from users and hands it to Postfix.
package struct DovecotSubmission: Hashable, Sendable {
    /// Where it hands mail over.
    package var relayHost: String
    /// The port there.
    package var relayPort: Int
    /// Whether it tells Postfix with XCLIENT who the client is.
    package var isTrusted: Bool

    /// Describes the service.
    package init(relayHost: String, relayPort: Int, isTrusted: Bool) {
        self.relayHost = relayHost
        self.relayPort = relayPort
        self.isTrusted = isTrusted
    }

    /// Whether the mail goes to this host.
    package var staysHere: Bool {
        relayHost == "localhost" || relayHost.hasPrefix("127.") || relayHost == "::1"
            || relayHost.isEmpty
    }
}

/// As much of Dovecot's configuration as a plan depends on, of 2.3 and 2.4 alike.
struct DovecotSettings {
    private var settings: [String: String] = [:]
    private var protocols: Set<String> = []

    private static let mostFiles = 200

    /// Reads /etc/dovecot/dovecot.conf and what it includes.
    init(reading tree: FileTree) throws(FileFault) {
        var count = 0
        try read("/etc/dovecot/dovecot.conf", tree, &count)
    }

    /// The submission service, if it is switched on.
    var submission: DovecotSubmission? {
        guard protocols.contains("submission") else { return nil }
        return DovecotSubmission(
            relayHost: settings["submission_relay_host"] ?? "",
            relayPort: settings["submission_relay_port"].flatMap { Int($0) } ?? 25,
            isTrusted: settings["submission_relay_trusted"] == "yes")
    }

    /// Whether it serves IMAP.
    var servesIMAP: Bool { protocols.contains("imap") }

    private mutating func read(
        _ path: String, _ tree: FileTree, _ count: inout Int
    ) throws(FileFault) {
        count += 1
        guard count <= Self.mostFiles, let file = try tree.file(path) else { return }
        var block = ""
        for line in file.text.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(
                String.init)
            guard let first = words.first else { continue }
            if first == "!include" || first == "!include_try", words.count > 1 {
                for included in Self.matches(words[1], from: path, tree) {
                    try read(included, tree, &count)
                }
            } else if words.last == "{" {
                block = first
            } else if first == "}" {
                block = ""
            } else if words.count >= 2, words[1] == "=" {
                set(first, Array(words.dropFirst(2)), block)
            }
        }
    }

    private mutating func set(_ name: String, _ value: [String], _ block: String) {
        switch (block, name) {
        case ("", "protocols"):
            // 2.3: a list, in which $protocols stands for what was there.
            if !value.contains("$protocols") { protocols = [] }
            protocols.formUnion(value)
        case ("protocols", _):
            // 2.4: a block.
            if value.first == "yes" { protocols.insert(name) } else { protocols.remove(name) }
        case ("", _), ("protocol", _): settings[name] = value.joined(separator: " ")
        default: break
        }
    }

    /// The files that an include names: `*` in the last part stands for anything.
    private static func matches(_ pattern: String, from path: String, _ tree: FileTree) -> [String]
    {
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        let full = pattern.hasPrefix("/") ? pattern : "/\(folder)/\(pattern)"
        guard let star = full.firstIndex(of: "*"), let slash = full[..<star].lastIndex(of: "/"),
            !full[star...].contains("/")
        else { return full.contains("*") ? [] : [full] }
        let directory = String(full[..<slash])
        let prefix = full[full.index(after: slash)..<star]
        let suffix = full[full.index(after: star)...]
        return tree.names(in: directory).filter { $0.hasPrefix(prefix) && $0.hasSuffix(suffix) }
            .map { "\(directory)/\($0)" }
    }
}
