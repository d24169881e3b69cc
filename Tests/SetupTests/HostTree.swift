import Foundation
import TestKit

/// A tree of files that stands for a host: a stock Debian with Postfix, and Signet's configuration as its packages bring it.
final class HostTree {
    /// The releases that are set up.
    enum Release: String, CaseIterable {
        case bookworm, trixie
    }

    private let directory: TemporaryDirectory

    /// The tree's root.
    var path: String { directory.path }

    /// Makes a host of a release; `main` is appended to its main.cf, `master` to its master.cf.
    init(
        _ release: Release = .bookworm, main: String = "", master: String = "",
        withSubmission: Bool = true
    ) throws {
        directory = try TemporaryDirectory("signet-tree")
        for folder in ["etc/postfix", "etc/signet", "var/lib/dpkg", "usr/sbin"] {
            try directory.makeDirectory(folder)
        }
        let stock =
            switch release {
            case .bookworm: ""
            case .trixie: try DebianRoot("trixie", packages: ["postfix"]).path
            }
        var services = try String(
            contentsOfFile: "\(stock)/usr/share/postfix/master.cf.dist", encoding: .utf8)
        if withSubmission { services = services.replacing("\n#submission ", with: "\nsubmission ") }
        try write("etc/postfix/master.cf", services + master)
        let text = try String(
            contentsOfFile: "\(stock)/usr/share/postfix/main.cf.debian", encoding: .utf8)
        try write(
            "etc/postfix/main.cf",
            text + """
                smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
                myhostname = mail.example.org
                alias_maps = hash:/etc/aliases
                mydestination = $myhostname, example.org, localhost
                mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128

                """ + main)
        let version = release == .bookworm ? "3.7.11-0+deb12u1" : "3.10.5-1~deb13u1"
        try write(
            "var/lib/dpkg/status",
            "Package: postfix\nStatus: install ok installed\nVersion: \(version)\n\n")
        try write("etc/passwd", "root:x:0:0::/root:/bin/sh\nsignet-dkim:x:990:991::/:/bin/false\n")
        try write("etc/hostname", "mail\n")
        try write("etc/aliases", "# aliases\npostmaster: root\n")
        let shipped = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "packaging/conf")
        for name in ["dkim", "dmarc", "scrub", "spf"] {
            try write(
                "etc/signet/\(name).conf",
                String(contentsOf: shipped.appending(path: "\(name).conf"), encoding: .utf8))
            try directory.write("", to: "usr/sbin/signet-\(name)", mode: 0o755)
        }
    }

    /// Writes a file of the host.
    func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
        try directory.write(text, to: name, mode: mode)
    }

    /// Makes a directory of the host.
    func makeDirectory(_ name: String) throws { try directory.makeDirectory(name) }

    /// A file of the host; empty where there is none.
    func text(_ name: String) -> String {
        (try? String(contentsOfFile: directory.file(name), encoding: .utf8)) ?? ""
    }

    /// Everything but the journal: each path with its type, mode, owner and contents.
    func snapshot() throws -> [String: String] {
        let listing = try Command.require(
            "/bin/sh",
            [
                "-c",
                """
                cd "$0" && find . -path ./var/lib/signet -prune -o -printf '%P %y %m %U %G ' \\
                  -exec sh -c 'test -f "$1" && sha256sum < "$1" || echo' _ {} \\;
                """, path,
            ])
        var found: [String: String] = [:]
        for line in listing.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            found[String(parts[0])] = String(parts.last ?? "")
        }
        return found
    }

    /// Runs `signet` on the tree.
    func signet(_ arguments: [String]) throws -> Command.Result {
        try Command.run(
            DaemonProcess.path(of: "signet"), arguments + ["--root", path])
    }

    /// Runs `signet setup example.org --apply --yes` and more arguments.
    @discardableResult
    func apply(_ more: [String] = []) throws -> Command.Result {
        try signet(["setup", "example.org", "--apply", "--yes", "--address", "192.0.2.1"] + more)
    }

    /// What `postconf` says of the tree.
    func postconf(_ arguments: [String]) throws -> String {
        let path = directory.file("etc/postfix/main.cf")
        // Postfix's programs wait until main.cf is a second old.
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: path)
        return try Command.require("postconf", ["-c", directory.file("etc/postfix")] + arguments)
    }
}
