import Foundation
import MailAuth
import MailCrypto
import MailDNS
import MailSyntax
import Testing

/// A message for the tests: its header section and its body.
struct TestMessage: CustomTestStringConvertible {
    var header = HeaderSection()
    var body: [UInt8] = []
    let testDescription: String

    /// Splits a message; "\n" line ends become CRLF.
    init(_ text: [UInt8], _ description: String) throws {
        testDescription = description
        let split = try HeaderSection.split(message: text, limits: .greatest)
        header = split.header
        body = Self.withCRLF(Array(text[split.bodyStart...]))
    }

    /// Splits a message whose body stays as it is.
    init(verbatim octets: [UInt8]) throws {
        testDescription = ""
        let split = try HeaderSection.split(message: octets, limits: .greatest)
        header = split.header
        body = Array(octets[split.bodyStart...])
    }

    init(_ text: String, _ description: String) throws {
        try self.init(Array(text.utf8), description)
    }

    /// All octets of the message.
    var bytes: [UInt8] { header.bytes + [13, 10] + body }

    /// The message with a signature above it.
    func adding(_ signature: SignedField) throws -> TestMessage {
        let field = Array("DKIM-Signature:".utf8) + Self.withCRLF(signature.value) + [13, 10]
        return try TestMessage(field + bytes, testDescription)
    }

    private static func withCRLF(_ octets: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for octet in octets {
            if octet == .lf, result.last != .cr { result.append(.cr) }
            result.append(octet)
        }
        return result
    }

    /// Ordinary and awkward messages.
    static func samples() throws -> [TestMessage] {
        let start = "From: Ann <ann@example.org>\nTo: bob@example.net\nSubject: Hello\n"
        return [
            try TestMessage(start + "\nHello.\n", "ordinary"),
            try TestMessage(start + "\n", "empty body"),
            try TestMessage(start + "\n\n\n\n", "body of empty lines"),
            try TestMessage(start + "\nno line end", "no line end"),
            try TestMessage(start + "\nA  b\t c \n \t\n\n  d\n \n\n", "white space"),
            try TestMessage(
                start
                    + "References: <a@b>\n\t<c@d>  \n  <e@f>\nMIME-Version: 1.0\nContent-Type:\n text/plain\n\nHi\n",
                "folded fields"),
            try TestMessage(
                start
                    + "To: a@b\nTo: c@d\nX-Long: \(String(repeating: "word ", count: 150))\n\nHi\n",
                "several fields of one name"),
            try TestMessage(
                "FROM : ann@example.org\nsubject:no space\nDate: \n\nHi\n", "spaces at the colon"),
            try TestMessage(
                "From: \u{E9}ric <ann@example.org>\nTo: bob@example.net\nSubject: Gr\u{FC}\u{DF}e\n\n\u{1F600}  \n",
                "UTF-8"),
            try TestMessage(
                Array((start + "\n").utf8) + Array("a\rb\r\r\n\u{0}c \rd\r\n \r\n".utf8),
                "lone CR and NUL in the body"),
            try TestMessage(
                start + "\n" + (0..<3000).map { "line \($0)  with\tspace \n" }.joined(), "long body"
            ),
        ]
    }
}

/// Keys for the tests.
enum TestKeys {
    static let rsa = try? PrivateKey.generateRSA(bits: 2048)
    static let ed25519 = try? PrivateKey.generateEd25519()

    static var all: [PrivateKey] { [rsa, ed25519].compactMap { $0 } }
}

extension PrivateKey {
    /// The key as a file of the form that dkimpy reads.
    var fileForDKIMPy: Data {
        let pem = withPEM { $0.copied() }
        guard algorithm == .ed25519 else { return Data(pem) }
        let body = String(decoding: pem, as: UTF8.self).split(separator: "\n")
            .filter { !$0.hasPrefix("-----") }.joined()
        // The seed is the end of the PKCS#8 form.
        return Data(Data(base64Encoded: body)?.suffix(32).base64EncodedString().utf8 ?? "".utf8)
    }

    /// A key record for the public half.
    var record: String {
        let type = algorithm == .ed25519 ? "ed25519" : "rsa"
        return "v=DKIM1; k=\(type); p=\(Base64.encode(publicKey.recordOctets))"
    }
}

extension SigningRecipe {
    /// The default recipe with other canonicalizations.
    static func with(_ header: Canonicalization, _ body: Canonicalization) -> SigningRecipe {
        var recipe = SigningRecipe()
        recipe.canonicalization = CanonicalizationPair(header: header, body: body)
        return recipe
    }

    /// All canonicalization pairs.
    static let pairs: [CanonicalizationPair] = Canonicalization.allCases.flatMap { header in
        Canonicalization.allCases.map { CanonicalizationPair(header: header, body: $0) }
    }
}

/// Signs a message whose body arrives in chunks of a size.
func sign(
    _ message: TestMessage, _ keys: [PrivateKey], _ recipe: SigningRecipe, chunk: Int = 65_536,
    time: Int64 = 1_700_000_000
) throws -> [SignedField] {
    let domain = try DomainName("example.org")
    let selector = try DomainName("test")
    var signer = DKIMSigner(
        header: message.header,
        keys: keys.map { SigningKey(domain: domain, selector: selector, key: $0) },
        recipe: recipe, time: time)
    for start in stride(from: 0, to: message.body.count, by: chunk) {
        let end = min(message.body.count, start + chunk)
        signer.update(message.body.span.extracting(start..<end))
    }
    return try signer.finish()
}

/// Verifies a message whose body arrives in chunks of a size, with the records of a zone.
func verify(
    _ message: TestMessage, _ records: [String: [[UInt8]]], chunk: Int = 65_536,
    now: Int64 = 1_700_000_000, options: DKIMVerifierOptions = DKIMVerifierOptions(),
    authors: [DomainName] = []
) -> DKIMOutcome {
    var verifier = DKIMVerifier(
        header: message.header, authorDomains: authors, now: now, options: options)
    for question in verifier.questions {
        let texts = records[question.name.ascii] ?? []
        verifier.answer(
            question,
            texts.isEmpty
                ? .nameError(.insecure) : .records(texts.map { .text([$0]) }, .insecure))
    }
    for start in stride(from: 0, to: message.body.count, by: chunk) {
        let end = min(message.body.count, start + chunk)
        verifier.update(message.body.span.extracting(start..<end))
    }
    return verifier.finish(keys: testCache)
}

/// Verifies a message, all of whose signatures have one key record.
func verify(
    _ message: TestMessage, record: String, chunk: Int = 65_536, now: Int64 = 1_700_000_000
) -> DKIMOutcome {
    verify(
        message, ["test._domainkey.example.org": [Array(record.utf8)]], chunk: chunk, now: now)
}

let testCache = ParsedKeyCache()
