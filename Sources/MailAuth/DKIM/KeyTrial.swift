internal import MailCrypto
internal import MailDNS
internal import MailSyntax

/// Tries the key records of a DNS answer on a signature, and keeps what came of it
/// (RFC 6376, section 6.1.2).
///
/// Trust: any answer; four records are read and two keys tried at most.
struct KeyTrial {
    /// What the best record led to.
    var reason: DKIMReason
    /// The key of that record, where there is one.
    private(set) var key: PublicKey?
    /// The size of the key in bits, where one was found.
    private(set) var keyBits: Int?
    /// Whether DNSSEC vouches for the key.
    private(set) var isKeySecure = false
    /// Whether the domain says that it is only testing.
    private(set) var isTesting = false

    /// The most TXT records at one name that are tried.
    ///
    /// They "MUST be unique for a particular selector name", and several are "undefined" (section
    /// 3.6.2.2), but a verifier "may cycle through the key records" (section 6.1.2, step 4): we do,
    /// so that a stray record does no harm.
    private static let maximumRecords = 4

    /// The most keys of one name that a signature is verified with: each costs a public-key operation.
    private static let maximumKeys = 2

    /// Tries each record until one makes the signature valid; else the first that could be read counts.
    ///
    /// - Parameters:
    ///   - answer: the DNS answer; nil for a question that was never answered.
    ///   - name: the name that was asked for.
    ///   - keys: the process's memory of parsed keys.
    ///   - verify: what a record leads to. It is called for each record, so what does not depend on the
    ///     record is worth keeping from one call to the next.
    init(
        _ answer: DNSAnswer?, to name: DomainName, _ keys: ParsedKeyCache,
        verify: (KeyRecord) -> DKIMReason
    ) {
        let texts: [[UInt8]]
        let isSecure: Bool
        switch answer {
        case .records(let records, let security):
            texts = records.compactMap(Self.text)
            isSecure = security == .secure
        case .noData:
            self.init(.noKey(name, exists: true))
            return
        case .nameError:
            self.init(.noKey(name, exists: false))
            return
        case .failure(let failure):
            self.init(.dns(failure))
            return
        case nil:
            self.init(.dns(.timeout))
            return
        }
        var first: KeyTrial?
        var firstError: KeyRecordError?
        var tried = 0
        for text in texts.prefix(Self.maximumRecords) where tried < Self.maximumKeys {
            switch keys.record(for: text) {
            case .failure(let error):
                firstError = firstError ?? error
            case .success(let record):
                tried += 1
                var trial = KeyTrial(verify(record))
                trial.key = record.key
                trial.keyBits = record.key.bits
                trial.isKeySecure = isSecure
                trial.isTesting = record.isTesting
                if trial.reason.status == .pass {
                    self = trial
                    return
                }
                first = first ?? trial
            }
        }
        self = first ?? KeyTrial(firstError.map { .keyRecord($0) } ?? .noKey(name, exists: true))
    }

    private init(_ reason: DKIMReason) {
        self.reason = reason
    }

    /// The text of a TXT record: its strings, with nothing in between (section 3.6.2.2).
    private static func text(_ record: DNSRecord) -> [UInt8]? {
        guard case .text(let strings) = record else { return nil }
        guard strings.count != 1 else { return strings[0] }
        var text: [UInt8] = []
        text.reserveCapacity(strings.reduce(0) { $0 + $1.count })
        for string in strings { text += string }
        return text
    }
}

extension KeyRecord {
    /// What keeps the key from being used for a signature, whatever the signature is.
    func objection(to algorithm: SignatureAlgorithm, _ minimumBits: Int) -> DKIMReason? {
        guard servesMail else { return .keyService }
        guard allowsSHA256 else { return .keyHash }
        guard type == algorithm.keyType else { return .keyType }
        // RFC 8301, section 3.2: "Verifiers MUST NOT consider signatures using RSA keys of less
        // than 1024 bits as valid signatures."
        let minimum = max(minimumBits, KeyLimits.leastSigningBits)
        guard type != .rsa || key.bits >= minimum else {
            return .keyTooShort(bits: key.bits, minimum: minimum)
        }
        return nil
    }
}
