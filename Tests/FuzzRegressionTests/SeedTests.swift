import Foundation
import FuzzTargets
import MailAuth
import MailCrypto
import MailSyntax
import Testing

/// The seeds that are signed: they must pass, or the fuzzer starts from nothing.
@Suite struct SeedTests {
    private static let corpora = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fuzz/Corpora")

    /// Signs the message as a recipe says; the result is always the same.
    private static func sign(
        _ pair: CanonicalizationPair, copies: Bool
    ) throws -> (field: [UInt8], message: [UInt8]) {
        var header = HeaderSection()
        for field in FuzzMessage.fields { header.append(name: field.name, value: field.value) }
        var recipe = SigningRecipe()
        recipe.canonicalization = pair
        recipe.copiesFields = copies
        recipe.lifetime = copies ? 3600 : nil
        recipe.oversignedFields = FuzzMessage.fields.map { FieldName($0.name) }
        let key = SigningKey(
            domain: try DomainName("example.org"), selector: try DomainName("fuzz"),
            identity: copies ? "ann@mail.example.org" : nil,
            key: try PrivateKey(Array(FuzzMessage.privateKey.utf8)))
        var signer = DKIMSigner(
            header: header, keys: [key], recipe: recipe, time: FuzzMessage.now - 60)
        signer.update(Array(FuzzMessage.body.utf8).span)
        var signed = HeaderSection()
        let value = try #require(try signer.finish().first).value
        signed.append(name: Array("DKIM-Signature".utf8), value: value)
        return (
            Array(signed.value(of: 0)),
            signed.bytes + header.bytes + [.cr, .lf] + Array(FuzzMessage.body.utf8)
        )
    }

    /// Compares with what is in the corpora; `SIGNET_WRITE_SEEDS` in the environment writes it there.
    @Test(arguments: Canonicalization.allCases, [false, true])
    func seedsAreWhatWeSign(kind: Canonicalization, copies: Bool) throws {
        let pair = CanonicalizationPair(header: kind, body: kind)
        let made = try Self.sign(pair, copies: copies)
        let name = "\(kind.rawValue)\(copies ? "-full" : "")"
        for (target, octets) in [("signature", made.field), ("message", made.message)] {
            let file = Self.corpora.appending(path: "\(target)/\(name)")
            if ProcessInfo.processInfo.environment["SIGNET_WRITE_SEEDS"] != nil {
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(octets).write(to: file)
            }
            #expect(try Data(contentsOf: file) == Data(octets))
        }
        #expect(FuzzMessage.isPass(made.message))
        var forged = made.message
        forged.append(contentsOf: "x".utf8)
        #expect(!FuzzMessage.isPass(forged))
    }
}
