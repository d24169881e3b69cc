import Foundation
import MailAuth
import MailCrypto
import MailSyntax
import Testing

@Suite struct Interoperability {
    /// For each key, canonicalization pair and sample message: what we sign, dkimpy verifies.
    @Test(.enabled(if: DKIMPy.isPresent, "python3-dkim is not installed"))
    func dkimpyVerifiesWhatWeSign() throws {
        var jobs: [DKIMPy.VerifyJob] = []
        var names: [String] = []
        for message in try TestMessage.samples()
        // dkimpy takes a name with a space before the colon for no field (RFC 5322, section 4.5).
        where message.testDescription != "spaces at the colon" {
            for key in TestKeys.all {
                for pair in SigningRecipe.pairs {
                    var recipe = SigningRecipe()
                    recipe.canonicalization = pair
                    for field in try sign(message, [key], recipe, chunk: 7) {
                        let signed = try message.adding(field)
                        jobs.append(.init(message: Data(signed.bytes), record: key.record))
                        names.append("\(message.testDescription), \(pair), \(field.algorithm)")
                    }
                }
            }
        }
        let verdicts = try DKIMPy.verify(jobs)
        #expect(verdicts.count == jobs.count)
        for (verdict, name) in zip(verdicts, names) { #expect(verdict, "\(name)") }
    }

    /// For each key, canonicalization pair and sample message: what dkimpy signs, we verify.
    @Test(.enabled(if: DKIMPy.isPresent, "python3-dkim is not installed"))
    func weVerifyWhatDKIMPySigns() throws {
        var jobs: [DKIMPy.SignJob] = []
        var messages: [(message: TestMessage, name: String, key: PrivateKey)] = []
        for message in try TestMessage.samples()
        where message.testDescription != "spaces at the colon" {
            for key in TestKeys.all {
                for pair in SigningRecipe.pairs {
                    let algorithm = SignatureAlgorithm(key.algorithm).rawValue
                    jobs.append(
                        .init(
                            message: Data(message.bytes), domain: "example.org", selector: "test",
                            key: key.fileForDKIMPy, header: pair.header.rawValue,
                            body: pair.body.rawValue, algorithm: algorithm))
                    messages.append((message, "\(pair), \(algorithm)", key))
                }
            }
        }
        let fields = try DKIMPy.sign(jobs)
        #expect(fields.count == jobs.count)
        let later = Int64(Date().timeIntervalSince1970) + 10
        for (field, (message, name, key)) in zip(fields, messages) {
            let signed = try TestMessage(Array(field) + message.bytes, message.testDescription)
            let outcome = verify(signed, record: key.record, chunk: 11, now: later)
            #expect(
                outcome.results.map(\.reason) == [.valid], "\(message.testDescription), \(name)")
        }
    }

    /// What OpenDKIM's test mode cannot be asked: it reads lines of text, takes off white space before
    /// folds, and wants a To field.
    private static let unfitForOpenDKIM = [
        "lone CR and NUL in the body", "no line end", "folded fields", "spaces at the colon",
    ]

    static func messagesForOpenDKIM() throws -> [TestMessage] {
        try TestMessage.samples()
            .filter { !unfitForOpenDKIM.contains($0.testDescription) }
            .map { message in
                let field = Array("Date: Sat, 21 Nov 2026 08:00:00 +0000\r\n".utf8)
                return try TestMessage(field + message.bytes, message.testDescription)
            }
    }

    @Test(
        .enabled(if: OpenDKIM.isPresent, "opendkim is not installed"), arguments: TestKeys.all)
    func openDKIMVerifiesWhatWeSign(key: PrivateKey) throws {
        var messages: [Data] = []
        var names: [String] = []
        for message in try Self.messagesForOpenDKIM() {
            for pair in SigningRecipe.pairs {
                var recipe = SigningRecipe()
                recipe.canonicalization = pair
                for field in try sign(message, [key], recipe, chunk: 13) {
                    messages.append(Data(try message.adding(field).bytes))
                    names.append("\(message.testDescription), \(pair)")
                }
            }
        }
        let verdicts = try OpenDKIM.verify(messages, record: key.record)
        #expect(verdicts.count == messages.count)
        for (verdict, name) in zip(verdicts, names) {
            #expect(verdict.hasSuffix("succeeded"), "\(name): \(verdict)")
        }
    }

    /// RSA only: OpenDKIM 2.11 does not verify its own Ed25519 signatures, nor does dkimpy.
    @Test(.enabled(if: OpenDKIM.isPresent, "opendkim is not installed"))
    func weVerifyWhatOpenDKIMSigns() throws {
        let key = try #require(TestKeys.rsa)
        let messages = try Self.messagesForOpenDKIM()
        let later = Int64(Date().timeIntervalSince1970) + 10
        for pair in SigningRecipe.pairs {
            let fields = try OpenDKIM.sign(
                messages.map { Data($0.bytes) }, key: Data(key.withPEM { $0.copied() }),
                canonicalization: pair.description,
                algorithm: SignatureAlgorithm(key.algorithm).rawValue)
            #expect(fields.count == messages.count)
            for (field, message) in zip(fields, messages) {
                let signed = try TestMessage(
                    Array(field.utf8) + message.bytes, message.testDescription)
                let outcome = verify(signed, record: key.record, now: later)
                #expect(
                    outcome.results.map(\.reason) == [.valid],
                    "\(message.testDescription), \(pair)")
            }
        }
    }
}
