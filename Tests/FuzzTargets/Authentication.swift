import MailAuth
import MailCrypto
import MailDNS
import MailSyntax

/// The one message whose signatures fit the published key, in many forms.
///
/// The seeds are made with a key that signs nothing else: whatever passes says the same as this.
public enum FuzzMessage {
    /// The fields that all seeds sign, and more of which must not pass.
    public static let fields: [(name: String, value: String)] = [
        ("From", " Ann <ann@example.org>"), ("To", " bob@example.net"),
        ("Subject", " Hello  you"),
    ]
    /// The body.
    public static let body = "Hello  you, \r\n\r\nhow\tare you?\r\n"
    /// The seed of the Ed25519 key in base64: no secret, and nobody's.
    public static let privateKey = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
    /// When it is.
    public static let now: Int64 = 1_700_000_000

    /// The record of the key.
    static let record = "v=DKIM1; k=ed25519; p=ebVWLo/mVPlAeLES6KmLp5AfhTrmlb7X4OORC60ElmQ="
    static let keys = ParsedKeyCache()

    /// Whether a message has a signature that passes.
    public static func isPass(_ message: [UInt8]) -> Bool {
        guard let split = try? HeaderSection.split(message: message) else { return false }
        let body = message[split.bodyStart...]
        return verify(split.header, Array(body), chunk: 4096).status == .pass
    }
}

func checkMessage(_ input: [UInt8]) throws(BrokenPromise) {
    let limits = HeaderSection.Limits(fields: 500, bytes: 1 << 18)
    guard let split = try? HeaderSection.split(message: input, limits: limits) else { return }
    try checkVerification(split.header, Array(input[split.bodyStart...]))
}

func checkSignature(_ input: [UInt8]) throws(BrokenPromise) {
    var header = HeaderSection()
    header.append(name: Array("DKIM-Signature".utf8), value: input)
    for field in FuzzMessage.fields { header.append(name: field.name, value: field.value) }
    try checkVerification(header, Array(FuzzMessage.body.utf8))
}

/// Verifies, twice: what passes must say what was signed, and chunks must not matter.
private func checkVerification(_ header: HeaderSection, _ body: [UInt8]) throws(BrokenPromise) {
    let whole = verify(header, body, chunk: max(1, body.count))
    let pieces = verify(header, body, chunk: 3)
    try promise(
        "chunks do not matter", whole.results.map(\.reason) == pieces.results.map(\.reason))
    try promise(
        "a chain is judged alike", validate(header, body, body.count) == validate(header, body, 5))
    try promise("a word is given", whole.results.isEmpty == (whole.status == .none))
    guard whole.status == .pass else { return }
    for field in FuzzMessage.fields {
        let found = header.indices(named: FieldName(field.name))
        try promise("a signed field stands once in what passes", found.count == 1)
        try promise(
            "a signed field says what was signed",
            found.allSatisfy { squeezed(header.value(of: $0)) == squeezed(field.value.utf8) })
    }
    try promise("the body says what was signed", squeezed(body) == squeezed(FuzzMessage.body.utf8))
}

private func verify(_ header: HeaderSection, _ body: [UInt8], chunk: Int) -> DKIMOutcome {
    var verifier = DKIMVerifier(header: header, now: FuzzMessage.now)
    for question in verifier.questions {
        verifier.answer(
            question, .records([.text([Array(FuzzMessage.record.utf8)])], .insecure))
    }
    for start in stride(from: 0, to: body.count, by: chunk) {
        verifier.update(body.span.extracting(start..<min(body.count, start + chunk)))
    }
    return verifier.finish(keys: FuzzMessage.keys)
}

/// Validates the chain of a message: nothing that is fuzzed has a good one, but each is judged.
private func validate(_ header: HeaderSection, _ body: [UInt8], _ chunk: Int) -> ARCReason {
    var validator = ARCValidator(header: header, now: FuzzMessage.now)
    for start in stride(from: 0, to: body.count, by: max(1, chunk)) {
        validator.update(body.span.extracting(start..<min(body.count, start + chunk)))
    }
    var questions = validator.questions
    while !questions.isEmpty {
        for question in questions {
            validator.answer(
                question, .records([.text([Array(FuzzMessage.record.utf8)])], .insecure))
        }
        questions = validator.advance(keys: FuzzMessage.keys)
    }
    return validator.finish(keys: FuzzMessage.keys).reason
}

/// The octets without white space, which relaxed canonicalization may change.
private func squeezed(_ octets: some Sequence<UInt8>) -> [UInt8] {
    octets.filter { !$0.isFoldingSpace }
}

func checkKey(_ input: [UInt8]) throws(BrokenPromise) {
    guard let record = try? KeyRecord(parsing: input) else { return }
    let hash = [UInt8](repeating: 7, count: 32)
    let signature = [UInt8](repeating: 9, count: record.type == .rsa ? record.key.bits / 8 : 64)
    try promise(
        "no key takes noise for a signature", !record.key.verify(signature.span, of: hash.span))
    let written = "p=\(Base64.encode(record.key.recordOctets)); k=\(record.type)"
    let again = try? KeyRecord(parsing: Array(written.utf8))
    try promise(
        "a key that is written reads as itself", again?.key.recordOctets == record.key.recordOctets)
}

func checkResults(_ input: [UInt8]) throws(BrokenPromise) {
    let found = AuthenticationResults(parsing: input.span)
    let written = found.fieldValue()
    try promise("a value is made of lines", isFolded(written))
    let ours = found.authservID
    if isHost(ours.text.utf8), found.isWellFormed {
        try promise("who can be read, claims", AuthenticationResults.claims(input.span, ours))
        var header = HeaderSection()
        header.append(name: Array("Authentication-Results".utf8), value: input)
        header.append(name: "Authentication-Results", value: " other.example; none")
        let deleted = AuthenticationResults.deletions(
            in: header, claiming: [ours], andUnknownVersions: false)
        try promise("what claims to be ours goes", deleted.last?.occurrence == 1)
    }
    guard !ours.text.isEmpty else { return }
    let again = AuthenticationResults(parsing: written.span)
    try promise("what is written is well formed", again.isWellFormed)
    try promise("what is written settles", again.fieldValue() == written)
    guard found.isWellFormed else { return }
    try promise("no result is added", again.results.count <= found.results.count)
}

/// Whether an identifier may be a host's: others, with marks in them, are nobody's.
private func isHost(_ text: some Collection<UInt8>) -> Bool {
    !text.isEmpty && text.count <= 255
        && text.allSatisfy { $0.isASCIIAlphanumeric || $0 == 0x2D || $0 == 0x2E || $0 >= 0x80 }
}

/// Whether a value has line ends only where white space follows, and no line without text.
func isFolded(_ value: [UInt8]) -> Bool {
    let lines = value.split(separator: .lf, omittingEmptySubsequences: false)
    return !value.contains(.cr) && !value.contains(0)
        && lines.allSatisfy { $0.first?.isWSP ?? false && !$0.allSatisfy(\.isWSP) }
}
