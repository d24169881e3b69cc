import Foundation
import Glibc
import MailCrypto
import TestKit
import Testing

/// `signet sign` and `signet verify`, as filters.
@Suite struct FilterCommandTests {
    private static let message =
        "From: Ann <ann@example.org>\nTo: bob@example.net\nSubject: test\n\nGood morning.\n\n\n"

    private static let rsa = Result { try SigningPair { try PrivateKey.generateRSA(bits: 2048) } }
    private static let ed25519 = Result { try SigningPair { try PrivateKey.generateEd25519() } }

    @Test(arguments: ["relaxed/relaxed", "simple/simple", "relaxed/simple"], [false, true])
    func `what is signed verifies, and everything else is as it was`(
        _ canonicalization: String, _ isRSA: Bool
    ) throws {
        let pair = try (isRSA ? Self.rsa : Self.ed25519).get()
        let signed = try pair.sign(Self.message, ["--canonicalization", canonicalization])
        #expect(signed.status == 0, "\(signed.errors)")
        #expect(signed.output.hasPrefix("DKIM-Signature: "))
        #expect(signed.output.contains("c=\(canonicalization);"))
        #expect(
            signed.output.hasSuffix("=\n\(Self.message)") || signed.output.hasSuffix(Self.message))
        let verified = try pair.verify(signed.output)
        #expect(verified.status == 0)
        #expect(verified.output == "pass  d=example.org s=s: the signature is valid\n")
        let changed = try pair.verify(signed.output.replacing("morning", with: "evening"))
        #expect(changed.status == 1)
        #expect(changed.output.hasPrefix("fail  d=example.org s=s: the body was changed"))
    }

    @Test func `line ends and the line of an mbox stay`() throws {
        let pair = try Self.ed25519.get()
        let message = Self.message.replacing("\n", with: "\r\n")
        let signed = try pair.sign(message).output
        #expect(signed.hasSuffix(message))
        #expect(!signed.replacing("\r\n", with: "").utf8.contains(0x0A))
        #expect(try pair.verify(signed).status == 0)
        let saved = try pair.sign("From ann Sat Nov 21 08:00:00 2026\n\(Self.message)").output
        #expect(saved.hasPrefix("From ann Sat Nov 21 08:00:00 2026\nDKIM-Signature: "))
        #expect(try pair.verify(saved).status == 0)
    }

    @Test func `signatures are counted from the top`() throws {
        let (rsa, ed25519) = (try Self.rsa.get(), try Self.ed25519.get())
        let twice = try ed25519.sign(try rsa.sign(Self.message).output).output
        // One record is published: the other key's signature does not fit it.
        #expect(try ed25519.verify(twice).status == 0)
        #expect(try ed25519.verify(twice, ["--index", "0"]).status == 0)
        #expect(try ed25519.verify(twice, ["--index", "1"]).status == 1)
        #expect(try ed25519.verify(twice, ["--index", "2"]).output.hasPrefix("none  "))
        #expect(try ed25519.verify(Self.message).status == 1)
    }

    @Test func `a signature expires`() throws {
        let pair = try Self.ed25519.get()
        let signed = try pair.sign(Self.message, ["--lifetime", "60"]).output
        #expect(try pair.verify(signed).status == 0)
        let later = "\(Int64(Date().timeIntervalSince1970) + 600)"
        #expect(try pair.verify(signed, ["--at", later]).status == 1)
    }

    @Test func `the signer's configuration says with what to sign`() throws {
        let pair = try Self.ed25519.get()
        let host = try TemporaryDirectory("signet-sign")
        for folder in ["etc/signet/keys/example.org"] { try host.makeDirectory(folder) }
        try host.write("KeyDirectory /etc/signet/keys\n", to: "etc/signet/dkim.conf")
        try host.write(pair.text, to: "etc/signet/keys/example.org/s.private", mode: 0o600)
        let signed = try SignetCommand.run(["sign", "--root", host.path], input: Self.message)
        #expect(signed.status == 0, "\(signed.errors)")
        #expect(try pair.verify(signed.output).status == 0)
        let other = try SignetCommand.run(
            ["sign", "--root", host.path],
            input: Self.message.replacing("example.org", with: "example.net"))
        #expect(other.status == 78 && other.output.isEmpty)
    }

    @Test func `what cannot be signed is not written`() throws {
        let pair = try Self.ed25519.get()
        for (arguments, status): ([String], Int32) in [
            (["s", "example.org", "/nonexistent"], 66), (["s", "example.org"], 64),
            (["s", "..", "/nonexistent"], 64), (["--lifetime", "0"], 64),
            (["--canonicalization", "strict"], 64), (["--root", "/nonexistent"], 66),
        ] {
            let result = try SignetCommand.run(["sign"] + arguments, input: Self.message)
            #expect(result.status == status, "\(arguments): \(result.errors)")
            #expect(result.output.isEmpty)
        }
        let nobody = try pair.sign("To: bob@example.net\n\nGood morning.\n")
        #expect(nobody.status == 65 && nobody.output.isEmpty)
    }

    @Test(arguments: ["ann@example.net", "example.org", "@sub.example.com", "a b;c@example.org"])
    func `an identity outside the domain is refused`(_ identity: String) throws {
        let signed = try Self.ed25519.get().sign(Self.message, ["--identity", identity])
        #expect(signed.status == 64 && signed.output.isEmpty)
    }

    /// As on a full disk, whether a command prints or writes octets, and whatever its own status would be.
    @Test(arguments: [
        "sign s example.org \"$1\"", "postfix", "check --zone \"$2\" --json -",
        "check --zone \"$2\" --exit-status --ip 192.0.2.1 -",
        "verify --zone \"$2\"", "doctor --local --root / --json",
    ])
    func `output that cannot be written ends with a status of its own`(_ words: String) throws {
        let directory = try TemporaryDirectory("signet-full")
        let key = try directory.write(try Self.ed25519.get().text, to: "key", mode: 0o600)
        let result = try Command.run(
            "/bin/sh",
            [
                "-c", "exec \"$0\" \(words) >/dev/full",
                DaemonProcess.path(of: "signet"), key, try directory.write("", to: "zone"),
            ], input: Array(Self.message.utf8))
        guard case .exited(let status) = result.end else { throw TestKitError("\(result.end)") }
        #expect(status == 74, "\(result.errors)")
    }

    @Test func `a FIFO in the place of a key is refused, and not waited for`() throws {
        let directory = try TemporaryDirectory("signet-fifo")
        let fifo = directory.file("key")
        guard unsafe mkfifo(fifo, 0o600) == 0 else { throw TestKitError("no FIFO") }
        let result = try SignetCommand.run(
            ["sign", "s", "example.org", fifo], input: Self.message)
        #expect(result.status == 66 && result.errors.contains("regular file"))
    }

    @Test func `a signature below many others is judged`() throws {
        let pair = try Self.ed25519.get()
        let signed = try pair.sign(Self.message).output
        let other = "DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=x; h=from; bh=; b=\n"
        let message = String(repeating: other, count: 12) + signed
        #expect(try pair.verify(message, ["--index", "12"]).status == 0)
        #expect(try pair.verify(message, ["--index", "11"]).status == 1)
        #expect(try pair.verify(message).status == 0)
    }

    @Test func `dkimpy verifies what is signed`() throws {
        let pair = try Self.rsa.get()
        let signed = try pair.sign(Self.message).output
        let record = pair.zone.split(separator: "\"").enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }.joined()
        let answer = try Command.require(
            "/usr/bin/python3",
            [
                "-c",
                """
                import dkim, sys
                record = sys.argv[1].encode()
                print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: record))
                """, record,
            ], input: Array(signed.utf8))
        #expect(answer == "True\n")
    }
}
