import Foundation
import TestKit
import Testing

/// `signet key new`, whose options are those of opendkim-genkey(8), and the usage that errors show.
struct KeyCommandTests {
    /// The options, and the tags of the record before p= (RFC 6376, section 3.6.1).
    static let records: [(options: [String], tags: String)] = [
        ([], "v=DKIM1; k=rsa; h=sha256; "),
        (["-b", "1024", "-h", "sha256"], "v=DKIM1; k=rsa; h=sha256; "),
        (["-r"], "v=DKIM1; k=rsa; h=sha256; s=email; "),
        (["-t"], "v=DKIM1; k=rsa; h=sha256; t=y; "),
        (["-r", "-t", "-S"], "v=DKIM1; k=rsa; h=sha256; s=email; t=y:s; "),
        (["--type", "ed25519", "--testing"], "v=DKIM1; k=ed25519; t=y; "),
    ]

    @Test(arguments: records)
    func `opendkim-genkey's options have their tags`(_ options: [String], _ tags: String) throws {
        let folder = try TemporaryDirectory("signet-keys")
        let run = try SignetCommand.run(
            ["key", "new", "-d", "example.org", "-s", "mail", "-D", folder.path] + options)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("\n  \(tags)p="), "\(run.output)")
        // Every file that was made is named, and what to do next.
        for suffix in ["private", "txt", "dns"] {
            #expect(run.output.contains("\(folder.file("mail.\(suffix)")): "), "\(suffix)")
        }
        let next = "signet key check -d example.org -s mail \(folder.file("mail.private"))"
        #expect(run.output.contains(next))
    }

    @Test func `hash algorithms that verifiers refuse are refused`() throws {
        let run = try SignetCommand.run(
            ["key", "new", "-d", "example.org", "-s", "mail", "-h", "sha1"])
        #expect(run.status == 64)
        #expect(run.errors.contains("only sha256 can be used"))
    }

    /// Errors of the command line, whether the parser or the command finds them.
    @Test(arguments: [
        ["key", "new", "-d", "example.org"], ["key", "new", "-d", "-", "-s", "mail"],
        ["key", "new", "-d", "example.org", "-s", "mail", "--bits", "5"],
    ])
    func `an error shows the usage of the subcommand`(_ arguments: [String]) throws {
        let run = try SignetCommand.run(arguments)
        #expect(run.status == 64)
        #expect(run.errors.contains("signet key new --selector <selector>"), "\(run.errors)")
        let check = try SignetCommand.run(["check", "--helo", "x", "message"])
        #expect(check.status == 64)
        #expect(check.errors.contains("\nUsage: signet check "), "\(check.errors)")
    }

    @Test(arguments: [
        (["rotate"], "signet rotate", "signet"),
        (["key", "make"], "signet key make", "signet key"),
        (["report", "shwo", "--json"], "signet report shwo", "signet report"),
        (["report", "help"], "signet report help", "signet report"),
    ])
    func `a command that does not exist is named`(
        _ words: [String], _ command: String, _ group: String
    ) throws {
        let run = try SignetCommand.run(words)
        #expect(run.status == 64 && run.output.isEmpty)
        #expect(
            run.errors
                == "signet: there is no command \"\(command)\"; try \(group) --help\n"
        )
    }
}
