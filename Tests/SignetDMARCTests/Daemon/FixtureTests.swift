import Configuration
import Foundation
import MailAuth
import SessionTestKit
import TestKit
import Testing

@testable import signet_dmarc

/// The configurations that guides and Debian's package hand out load as they stand.
///
/// The files themselves are looked for beside the project, and Debian's where its package is installed; what they say is repeated
/// here in our own words for when they are absent.
@Suite(.serialized) struct FixtureTests {
    /// The directives of a guide to OpenDMARC, and of Debian's package.
    static let texts = [
        """
        AuthservID OpenDMARC
        TrustedAuthservIDs mail.your.org
        PidFile /run/opendmarc/opendmarc.pid
        RejectFailures true
        Socket local:/var/spool/postfix/opendmarc/opendmarc.sock
        Syslog true
        UMask 0002
        UserID opendmarc
        IgnoreAuthenticatedClients true
        IgnoreHosts /etc/opendmarc/ignore.hosts
        RequiredHeaders true
        SPFSelfValidate true
        PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat
        """,
        """
        PidFile /run/opendmarc/opendmarc.pid
        PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat
        Socket local:/run/opendmarc/opendmarc.sock
        Syslog true
        UMask 0002
        UserID opendmarc
        """,
    ]

    /// The files that are at hand.
    static let files = [
        Shared.folder.map { $0 + "/fixtures/guide-opendmarc/opendmarc.conf" },
        Shared.folder.map { $0 + "/fixtures/debian-defaults/opendmarc.conf" },
        "/etc/opendmarc.conf",
    ].compactMap { $0 }.filter { FileManager.default.isReadableFile(atPath: $0) }

    /// Has the daemon check a file in a file system with the user and the list of hosts that a guide has one make.
    ///
    /// Only root can have a file system of his own; others check the lines without these two.
    private func check(_ path: String) throws -> Command.Result {
        let program = try DaemonProcess.path(of: "signet-dmarc")
        let directory = try TemporaryDirectory("signet-etc")
        let canMount = try Command.run("unshare", ["--mount", "true"]).succeeded
        guard canMount else {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let lines = text.split(separator: "\n").filter { line in
                !["UserID", "IgnoreHosts"].contains { line.hasPrefix($0) }
            }
            let adapted = try directory.write(
                lines.joined(separator: "\n") + "\n", to: "opendmarc.conf")
            return try Command.run(program, ["-n", "-x", adapted])
        }
        let script = """
            cp "$2" "$1/copy.conf"
            mkdir "$1/etc" "$1/etc/opendmarc"
            cp /etc/passwd /etc/group /etc/nsswitch.conf "$1/etc"
            grep -q ^opendmarc: "$1/etc/passwd" || {
                echo opendmarc:x:64999:64999::/:/bin/false >> "$1/etc/passwd"
                echo opendmarc:x:64999: >> "$1/etc/group"
            }
            printf '127.0.0.1\\n::1\\nlocalhost\\n' > "$1/etc/opendmarc/ignore.hosts"
            mount --bind "$1/etc" /etc
            exec "$3" -n -x "$1/copy.conf"
            """
        return try Command.run(
            "unshare", ["--mount", "sh", "-ec", script, "sh", directory.path, path, program])
    }

    @Test(arguments: files) func `a file loads as it stands`(_ path: String) throws {
        let result = try check(path)
        #expect(result.end == .exited(0), "\(result.errors)")
        #expect(!result.errors.contains("error"), "\(result.errors)")
    }

    @Test(arguments: texts) func `what the files say loads`(_ text: String) throws {
        let directory = try TemporaryDirectory("signet-guide")
        let result = try check(try directory.write(text + "\n", to: "opendmarc.conf"))
        #expect(result.end == .exited(0), "\(result.errors)")
        // The one thing to be said: the list of public suffixes is not what RFC 9989 asks for.
        #expect(result.errors.contains("notice: PublicSuffixList: not used"), "\(result.errors)")
    }

    @Test func `a list of hosts that is not there is an error`() throws {
        let problems = read("IgnoreHosts /nonexistent/ignore.hosts").problems
        #expect(problems.map(\.severity) == [.error])
    }

    @Test func `with the guide's configuration a forged message is refused, and others are not`()
        throws
    {
        let directory = try TemporaryDirectory("signet-guide")
        let hosts = try directory.write("127.0.0.1\n::1\nlocalhost\n", to: "ignore.hosts")
        let guide = Self.texts[0].replacing("/etc/opendmarc/ignore.hosts", with: hosts)
        let forged = MailMessage.from("ceo@victim.example")
        let passage = try Exchange(configuration: guide).pass(forged)
        #expect(
            passage.refusal == "550 5.7.26 rejected by DMARC policy for victim.example (p=reject)")
        let good = try Exchange(configuration: guide).pass(.from("x@evil.example"))
        #expect(good.results.first?.hasPrefix("OpenDMARC;") == true)
        #expect(good.results.first?.contains("dmarc=pass") == true)
        let local = Exchange(configuration: guide, address: "127.0.0.1", hostName: "localhost")
        #expect(try local.pass(forged).logs("ignoring connection from"))
        let login = Exchange(configuration: guide, mechanism: "LOGIN")
        #expect(try login.pass(forged).logs("ignoring authenticated client"))
        // RequiredHeaders.
        var dateless = forged
        dateless.fields.removeAll { $0.name == "Date" }
        #expect(
            try Exchange(configuration: guide).pass(dateless).refusal?.hasPrefix("550 5.6.0")
                == true)
    }
}
