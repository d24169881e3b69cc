import MailAuth
import MailCrypto
import MailDNS
import MailEvaluation
import MailSyntax
import Threads

/// A message from ann@example.org, signed with a key that the zone has, and what the DNS knows of
/// its sender.
struct Scene {
    var header: HeaderSection
    var body: [UInt8]
    var zone: ZoneResolver
    var envelope: Envelope
    /// When the message was received and signed.
    static let received: Int64 = 1_790_000_000

    init() throws {
        let key = try PrivateKey.generateEd25519()
        let domain = try DomainName("example.org")
        let fields = """
            From: Ann <ann@example.org>\r
            To: Bob <bob@example.net>\r
            Subject: Hello\r
            Date: Mon, 21 Sep 2026 13:33:20 +0000\r
            Message-ID: <1@example.org>\r

            """
        let unsigned = try HeaderSection.split(message: Array((fields + "\r\n").utf8)).header
        var signer = DKIMSigner(
            header: unsigned,
            keys: [SigningKey(domain: domain, selector: try DomainName("s"), key: key)],
            recipe: SigningRecipe(), time: Self.received)
        let body = Array("Hello, Bob.\r\n".utf8)
        signer.update(body.span)
        self.body = body
        var signed = Array("DKIM-Signature:".utf8)
        for field in try signer.finish() {
            for octet in field.value {
                if octet == .lf { signed.append(.cr) }
                signed.append(octet)
            }
        }
        signed += Array("\r\n\(fields)\r\n".utf8)
        header = try HeaderSection.split(message: signed).header
        zone = try ZoneResolver(
            parsing: """
                example.org. TXT "v=spf1 a:mail.example.org -all"
                mail.example.org. A 192.0.2.1
                1.2.0.192.in-addr.arpa. PTR mail.example.org
                _dmarc.example.org. TXT "v=DMARC1; p=reject"
                s._domainkey.example.org. TXT "v=DKIM1; k=ed25519; p=\(Base64.encode(key.publicKey.recordOctets))"
                """)
        envelope = Envelope(
            address: IPAddress("192.0.2.1"), helo: Array("mail.example.org".utf8),
            reversePath: try ReversePath(parsing: Array("<ann@example.org>".utf8).span))
    }

    /// All methods.
    static func options(answerSeconds: Double = 5) -> EvaluationOptions {
        var options = EvaluationOptions(answerSeconds: answerSeconds)
        options.spf = SPFLimits(answerSeconds: answerSeconds)
        options.dkim = DKIMVerifierOptions()
        options.arc = ARCOptions()
        options.dmarc = DMARCOptions()
        options.looksUpClient = true
        return options
    }

    /// A clock whose wall time stands still.
    static let clock = TimeSource(now: { .now() }, seconds: { received })

    /// Evaluates the message as a daemon does.
    ///
    /// - Parameters:
    ///   - options: what is evaluated.
    ///   - resolver: who answers; the zone by default.
    ///   - reported: what others have found.
    ///   - piece: how many octets of the body come at a time.
    ///   - seconds: how long `finish` may take.
    /// - Returns: what was found.
    func evaluate(
        _ options: EvaluationOptions = options(), _ resolver: (any DNSResolver)? = nil,
        reported: ReportedIdentifiers = ReportedIdentifiers(), piece: Int = 1 << 16,
        within seconds: Double = 60
    ) -> MessageFindings {
        let tools = EvaluationTools(resolver: resolver ?? zone, time: Self.clock)
        var evaluation = MessageEvaluation(
            header: header, author: AuthorField(of: header), envelope: envelope,
            early: EnvelopeQuestions(envelope, options, tools), reported: reported,
            options: options, tools: tools)
        for start in stride(from: 0, to: body.count, by: piece) {
            evaluation.update(body[start..<min(start + piece, body.count)].span)
        }
        return evaluation.finish(by: .now() + seconds)
    }
}

extension MessageFindings {
    /// The results in a few words.
    var words: [String] {
        [
            spf.map { "spf=\($0.result.rawValue)" },
            dkim.map { "dkim=" + $0.results.map(\.status.rawValue).joined(separator: "+") },
            arc.map { "arc=\($0.status.rawValue)" },
            dmarc.map { "dmarc=\($0.result.rawValue)" },
            reverse.map { "iprev=\($0.status.rawValue)" },
        ].compactMap(\.self)
    }
}
