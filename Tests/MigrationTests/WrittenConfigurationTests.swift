import Foundation
import TestKit
import Testing

/// Whether a command can be run with mounts of its own.
private enum OwnMounts {
    static let arePossible: Bool = {
        guard getuid() == 0 else { return false }
        return (try? Command.run("unshare", ["--mount", "true"]))?.succeeded == true
    }()
}

/// What `signet migrate` says of what it has written: each daemon of the host checks its own (`-n`).
///
/// The command works on "/", in a mount namespace where the host's configuration, daemons and state are the test's own.
@Suite(.enabled(if: OwnMounts.arePossible, "no mount namespace of its own is to be had"))
struct WrittenConfigurationTests {
    /// A configuration of each peer, and a line that our daemon refuses as a value.
    struct Case: CustomTestStringConvertible, Sendable {
        let daemon: String
        let file: String
        let good: String
        let bad: String

        var testDescription: String { daemon }
    }

    static let cases = [
        Case(
            daemon: "dkim", file: "etc/opendkim.conf", good: "Mode v\n",
            bad: "Canonicalization loose\n"),
        Case(
            daemon: "dmarc", file: "etc/opendmarc.conf", good: "SyslogSuccess yes\n",
            bad: "RejectFailures perhaps\n"),
        Case(
            daemon: "spf", file: "etc/postfix-policyd-spf-python/policyd-spf.conf",
            good: "HELO_reject = Fail\n", bad: "Lookup_Time = soon\n"),
    ]

    /// A host with a peer's configuration.
    private func host(_ file: String, _ text: String) throws -> PeerTree {
        let tree = try PeerTree([
            file: text, "etc/group": "root:x:0:\nsignet-dkim:x:991:\n",
            "etc/passwd": "root:x:0:0::/root:/bin/sh\nsignet-dkim:x:990:991::/:/bin/false\n",
            "sbin/README": "", "var/lib/README": "",
        ])
        try Command.require("cp", ["/etc/ld.so.cache", "\(tree.path)/etc"])
        for daemon in ["dkim", "dmarc", "spf"] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(tree.path)/sbin/signet-\(daemon)",
                withDestinationPath: DaemonProcess.path(of: "signet-\(daemon)"))
        }
        return tree
    }

    /// Runs `signet migrate` where the tree's directories are the host's.
    private func migrate(_ tree: PeerTree, _ arguments: [String] = []) throws -> Command.Result {
        try Command.run(
            "unshare",
            [
                "--mount", "/bin/sh", "-ec",
                """
                mount --bind "$0/var/lib" /var/lib
                mount --bind "$0/sbin" /usr/sbin
                mount --bind "$0/etc" /etc
                exec "$@"
                """, tree.path, try DaemonProcess.path(of: "signet"), "migrate",
            ] + arguments)
    }

    @Test(arguments: cases)
    func `what a daemon accepts goes on to --finish`(_ example: Case) throws {
        let tree = try host(example.file, example.good)
        let result = try migrate(tree)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        #expect(result.output.hasSuffix("\nnext: signet migrate --finish\n"))
        #expect(!result.output.contains("refused"))
    }

    @Test(arguments: cases)
    func `what a daemon refuses is said, and can be mended there or put back`(
        _ example: Case
    ) throws {
        let tree = try host(example.file, example.good + example.bad)
        let result = try migrate(tree)
        #expect(result.end == .exited(78), "\(result.output)\(result.errors)")
        let name = "/etc/signet/\(example.daemon).conf"
        let heading = "What was written is refused. Mend it there before --finish:\n"
        #expect(result.output.contains(heading), "\(result.output)")
        let command = "/usr/sbin/signet-\(example.daemon) -n -x \(name): status"
        let said = result.output.replacing("\n    ", with: " ")
        #expect(said.contains(command) && said.contains("\(name):"), "\(result.output)")
        #expect(!result.output.contains("next:"))

        let written = tree.text("etc/signet/\(example.daemon).conf")
        let mended = "\(written)# mended\n"
        try tree.write("etc/signet/\(example.daemon).conf", mended)
        let undone = try migrate(tree, ["--undo", "--yes"])
        #expect(undone.succeeded, "\(undone.output)\(undone.errors)")
        let words = try #require(undone.output.firstMatch(of: /version is kept as (\S+)/))
        #expect(tree.text(String(words.1.dropFirst())) == mended)
        #expect(tree.text("etc/signet/\(example.daemon).conf").isEmpty)
    }
}
