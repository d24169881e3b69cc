import Configuration
import Foundation
import Glibc

/// Where mail for somebody arrives on this host.
enum MailboxPlace: Hashable, CustomStringConvertible {
    /// A Maildir, with `new` and `cur` in it.
    case maildir(String)
    /// A file in mbox form (RFC 4155).
    case mbox(String)

    var description: String {
        switch self {
        case .maildir(let path), .mbox(let path): path
        }
    }

    /// The place that a path names: a Maildir where it ends with a slash or is a directory.
    init(path: String) {
        var isDirectory: ObjCBool = false
        let exists = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        self =
            path.hasSuffix("/") || (exists && isDirectory.boolValue)
            ? .maildir(path.hasSuffix("/") ? String(path.dropLast()) : path) : .mbox(path)
    }

    /// Every place where Postfix or Dovecot may put mail for a user of this host; nil where there is no such user.
    ///
    /// Both are looked at: which of them delivers is said in too many ways to be known.
    static func places(of user: String) -> [MailboxPlace]? {
        guard let account = unsafe getpwnam(user) else { return nil }
        let home = unsafe String(cString: account.pointee.pw_dir)
        var places: [MailboxPlace] = []
        let directory =
            setting("/usr/sbin/postconf", ["-h", "mail_spool_directory"]) ?? "/var/mail"
        if let own = setting("/usr/sbin/postconf", ["-h", "home_mailbox"]), !own.isEmpty {
            places.append(MailboxPlace(path: "\(home)/\(own)"))
        }
        // A slash at the end asks for a Maildir of each user (postconf(5)).
        places.append(
            MailboxPlace(
                path: directory.hasSuffix("/") ? "\(directory)\(user)/" : "\(directory)/\(user)"))
        if let location = dovecotLocation {
            places += MailboxPlace.place(of: location, user: user, home: home).map { [$0] } ?? []
        }
        var seen: Set<MailboxPlace> = []
        return places.filter { seen.insert($0).inserted }
    }

    /// Dovecot 2.3's mail_location, or what Dovecot 2.4 says in two settings.
    private static var dovecotLocation: String? {
        let program = "/usr/bin/doveconf"
        if let location = setting(program, ["-h", "mail_location"]), !location.isEmpty {
            return location
        }
        guard let driver = setting(program, ["-h", "mail_driver"]),
            let path = setting(program, ["-h", "mail_inbox_path"]).flatMap({ $0.isEmpty ? nil : $0 }
            )
                ?? setting(program, ["-h", "mail_path"])
        else { return nil }
        return "\(driver):\(path)"
    }

    /// What a location in Dovecot's form means for a user: `maildir:~/Maildir`, `mbox:~/mail:INBOX=/var/mail/%u`.
    static func place(of location: String, user: String, home: String) -> MailboxPlace? {
        let parts = location.split(separator: ":").map(String.init)
        guard parts.count >= 2 else { return nil }
        let inbox = parts.dropFirst(2).first { $0.hasPrefix("INBOX=") }?.dropFirst(6)
        var path = inbox.map(String.init) ?? parts[1]
        if path.hasPrefix("~/") { path = home + path.dropFirst(1) }
        let name = user.split(separator: "@").first.map(String.init) ?? user
        for (variable, value) in [
            ("%{user|username}", name), ("%{user}", user), ("%{home}", home), ("%u", user),
            ("%n", name), ("%h", home),
        ] { path = path.replacing(variable, with: value) }
        guard !path.contains("%"), path.hasPrefix("/") else { return nil }
        switch parts[0] {
        case "maildir": return .maildir(path)
        case "mbox": return .mbox(path)
        default: return nil
        }
    }

    private static func setting(_ program: String, _ arguments: [String]) -> String? {
        guard unsafe access(program, X_OK) == 0,
            let run = HostProgram.run([program] + arguments, seconds: 10, keepsErrors: false),
            run.status == 0
        else { return nil }
        return run.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
