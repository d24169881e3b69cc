import Foundation
import MailAuth
import MailCrypto
import MailDNS
import MailSyntax
import TestKit

/// The keys of example.org for all tests of a run, in files as a postmaster keeps them, and their records.
final class Keys: Sendable {
    static let shared = Result { try Keys() }

    let directory: TemporaryDirectory
    let rsa: PrivateKey
    let ed25519: PrivateKey

    private init() throws {
        directory = try TemporaryDirectory("signet-dkim-keys")
        rsa = try PrivateKey.generateRSA(bits: 2048)
        ed25519 = try PrivateKey.generateEd25519()
        try write(rsa, to: "rsa.private")
        try write(ed25519, to: "ed25519.private")
    }

    /// Writes a key file, readable for its owner only unless `mode` says otherwise, and returns its path.
    @discardableResult
    func write(_ key: PrivateKey, to name: String, mode: Int = 0o600) throws -> String {
        try directory.write(Self.pem(key), to: name, mode: mode)
    }

    static func pem(_ key: PrivateKey) -> [UInt8] {
        key.withPEM { text in
            var bytes: [UInt8] = []
            for index in text.indices { bytes.append(text[index]) }
            return bytes
        }
    }

    var rsaPath: String { directory.file("rsa.private") }
    var ed25519Path: String { directory.file("ed25519.private") }

    /// The directives that sign for example.org with the RSA key.
    var single: String { "Domain example.org\nSelector mail\nKeyFile \(rsaPath)\n" }
    /// The directives that sign for example.org with both keys.
    var twins: String {
        single + "SelectorEd25519 ed\nKeyFileEd25519 \(ed25519Path)\n"
    }

    /// The text of a key's record.
    static func record(_ key: PrivateKey, _ tags: String = "") -> String {
        let kind = key.algorithm == .ed25519 ? "ed25519" : "rsa"
        return "v=DKIM1; k=\(kind); \(tags)p=\(Base64.encode(key.publicKey.recordOctets))"
    }

    /// The DNS of example.org: `mail` is the RSA key, `ed` the Ed25519 key.
    func zone(_ status: DNSSECStatus = .insecure, tags: String = "") throws -> ZoneResolver {
        var zone = ZoneResolver(status: status)
        zone.add(try Self.txt("mail._domainkey.example.org", Self.record(rsa, tags)))
        zone.add(try Self.txt("ed._domainkey.example.org", Self.record(ed25519, tags)))
        return zone
    }

    static func txt(_ name: String, _ text: String) throws -> ZoneRecord {
        // RFC 1035, section 3.3: a character string holds at most 255 octets.
        let bytes = Array(text.utf8)
        let strings = stride(from: 0, to: bytes.count, by: 255)
            .map { Array(bytes[$0..<min($0 + 255, bytes.count)]) }
        return ZoneRecord(try DomainName(name), .txt, .text(strings))
    }
}
