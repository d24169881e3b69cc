import Foundation
import TestKit
import Testing

/// The commands of package signet-compat do with the peers' options what the peers do.
@Suite struct CompatibleCommandTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../packaging/compat").standardized.path

    /// Runs a command with `signet` in its path.
    private func run(
        _ name: String, _ arguments: [String], input: String = ""
    ) throws -> Command.Result {
        let products = URL(filePath: try DaemonProcess.path(of: "signet"))
            .deletingLastPathComponent().path
        return try Command.run(
            "\(Self.folder)/\(name)", arguments, input: Array(input.utf8),
            environment: ["PATH": "\(products):/usr/bin:/bin"])
    }

    @Test func `opendkim-genkey's options make the files that it makes`() throws {
        let directory = try TemporaryDirectory("signet-compat")
        let result = try run(
            "opendkim-genkey",
            ["-b", "2048", "-d", "example.org", "-D", directory.path, "-r", "--selector=mail"])
        #expect(result.succeeded, "\(result.errors)")
        #expect(result.output.isEmpty)
        let record = try String(contentsOfFile: directory.file("mail.txt"), encoding: .utf8)
        #expect(
            record.hasPrefix("mail._domainkey\tIN\tTXT\t( \"v=DKIM1; h=sha256; k=rsa; s=email; \""))
        #expect(record.hasSuffix("; ----- DKIM key mail for example.org\n"))
        #expect(FileManager.default.fileExists(atPath: directory.file("mail.private")))
        #expect(try run("opendkim-genkey", ["--no-such-option"]).end == .exited(64))
    }

    @Test(arguments: ["rsa", "ed25519"])
    func `dknewkey makes a key and its record`(_ type: String) throws {
        let directory = try TemporaryDirectory("signet-compat")
        let arguments = ["--ktype", type, directory.file("key1")]
        let result = try run("dknewkey", arguments)
        #expect(result.succeeded, "\(result.errors)")
        let record = try String(contentsOfFile: directory.file("key1.dns"), encoding: .utf8)
        #expect(record.hasPrefix("v=DKIM1; k=\(type);"))
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(names.sorted() == ["key1.dns", "key1.key"])
        // A private key is never overwritten.
        #expect(try run("dknewkey", arguments).end == .exited(73))
    }

    @Test func `opendkim-testkey looks at each key of the table`() throws {
        let directory = try TemporaryDirectory("signet-compat")
        _ = try run("dknewkey", [directory.file("key1")])
        try directory.write(
            "# keys\nname nowhere.invalid:mail:\(directory.file("key1.key"))\n", to: "KeyTable")
        let configuration = try directory.write(
            "KeyTable refile:\(directory.file("KeyTable"))\n", to: "dkim.conf")
        let result = try run("opendkim-testkey", ["-x", configuration])
        #expect(result.errors.contains("mail._domainkey.nowhere.invalid"))
        #expect(result.end == .exited(65) || result.end == .exited(75))
        #expect(try run("opendkim-testkey", ["-d", "example.org"]).end == .exited(64))
    }

    @Test func `opendkim-testmsg signs with a key, and tells of what does not verify`() throws {
        let directory = try TemporaryDirectory("signet-compat")
        _ = try run("dknewkey", [directory.file("key1")])
        let message = "From: ann@nowhere.invalid\n\nGood morning.\n"
        let signed = try run(
            "opendkim-testmsg",
            ["-d", "nowhere.invalid", "-s", "key1", "-k", directory.file("key1.key")],
            input: message)
        #expect(signed.succeeded, "\(signed.errors)")
        #expect(signed.output.hasPrefix("DKIM-Signature: ") && signed.output.hasSuffix(message))
        let verified = try run("opendkim-testmsg", [], input: message)
        #expect(verified.end == .exited(1) && verified.output.isEmpty)
        #expect(verified.errors.contains("the message has no signature"))
        #expect(try run("opendkim-testmsg", ["-d", "example.org"]).end == .exited(64))
    }
}
