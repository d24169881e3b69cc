internal import MailAuth
internal import MailCrypto
internal import MailDNS
internal import MailSyntax

/// Holds what the DNS publishes under a selector against the key that signs.
struct DKIMRecordCheck {
    /// The key that signs.
    let key: KeyInUse
    /// The host that signs.
    let host: HostView
    /// Asks the DNS.
    let dns: DNSLookup

    /// What is wrong with the key or its record.
    func findings() throws(DNSTrouble) -> [Diagnosis] {
        guard let name = key.recordName else {
            return [
                Diagnosis(
                    .keyUnusable, key.path,
                    "selector \(key.selector.ascii) and domain \(key.domain.ascii) are too long for the DNS"
                )
            ]
        }
        guard case .key(let own) = key.contents else {
            guard case .unusable(let reason) = key.contents else {
                return [
                    .skipped(
                        "dkim.record", name.ascii,
                        "the key file \(key.path) cannot be read; run the command as root")
                ]
            }
            return [
                Diagnosis(
                    .keyUnusable, key.path,
                    "the key for \(key.selector.ascii)._domainkey.\(key.domain.ascii) cannot be used: \(reason)",
                    mend: .words("restore the file, or make a new key: \(commandForNewKey)"))
            ]
        }
        let texts = try dns.texts(name)
        let right = ZoneRecord.text(name, Self.recordText(own))
        guard !texts.isEmpty else { return [try missing(name, right)] + strength(own) }
        let publish = Mend.publish(right, insteadOf: ZoneRecord.texts(name, texts))
        return record(name, texts, own, publish) + strength(own)
    }

    /// The command that makes a key in the place of this one.
    private var commandForNewKey: String {
        let name = "/\(key.selector.ascii).private"
        let folder = key.path.hasSuffix(name) ? " -D \(key.path.dropLast(name.count))" : ""
        return "signet key new -d \(key.domain.ascii) -s \(key.selector.ascii)\(folder)"
    }

    /// The text of a key record.
    static func recordText(_ key: PublicKey) -> String {
        let isRSA = if case .rsa = key.algorithm { true } else { false }
        let kind = isRSA ? "k=rsa; h=sha256" : "k=ed25519"
        return "v=DKIM1; \(kind); p=\(Base64.encode(key.recordOctets))"
    }

    // MARK: No record

    private func missing(
        _ name: DomainName, _ right: ZoneRecord
    ) throws(DNSTrouble) -> Diagnosis {
        let publish = Mend.publish(right, insteadOf: [])
        if let target = try dns.alias(name) {
            return Diagnosis(
                .aliasDangling, name.ascii,
                "it is an alias of \(target.ascii), where there is no key record",
                mend: .words("have \(target.ascii) published, or remove the alias and \(publish)"))
        }
        if let doubled = try? name.below(key.domain), try isKey(at: doubled) {
            return Diagnosis(
                .recordDoubledName, name.ascii, "the key record is at \(doubled.ascii)",
                mend: publish)
        }
        if let helo = host.heloDomain, helo != key.domain,
            let other = try? helo.prepending("\(key.selector.ascii)._domainkey"),
            try isKey(at: other)
        {
            return Diagnosis(
                .recordMisplaced, name.ascii, "the key record is at \(other.ascii)", mend: publish)
        }
        return Diagnosis(.recordMissing, name.ascii, "there is no key record", mend: publish)
    }

    private func isKey(at name: DomainName) throws(DNSTrouble) -> Bool {
        try dns.texts(name).contains { Self.parse($0) != nil }
    }

    private static func parse(_ strings: [[UInt8]]) -> KeyRecord? {
        try? KeyRecord(parsing: Array(strings.joined()))
    }

    // MARK: What is published

    private func record(
        _ name: DomainName, _ texts: [[[UInt8]]], _ own: PublicKey, _ publish: Mend
    ) -> [Diagnosis] {
        func fault(_ kind: DiagnosisKind, _ what: String) -> Diagnosis {
            Diagnosis(kind, name.ascii, what, mend: publish)
        }
        var several: [Diagnosis] = []
        if texts.count > 1 {
            if isOneRecordInPieces(texts, own) {
                return [
                    fault(.recordSplit, "the key is in \(texts.count) records instead of one")
                ]
            }
            several = [fault(.recordSeveral, "there are \(texts.count) records")]
        }
        // Receivers that try one record more than the first find the right one.
        let octets = texts.map { Array($0.joined()) }
        if let found = octets.first(where: { (try? KeyRecord(parsing: $0))?.key == own }),
            let record = try? KeyRecord(parsing: found)
        {
            return several + flags(record, found, fault)
        }
        return several + [unusable(octets[0], own, fault)]
    }

    /// Why a record does not serve the key.
    private func unusable(
        _ octets: [UInt8], _ own: PublicKey, _ fault: (DiagnosisKind, String) -> Diagnosis
    ) -> Diagnosis {
        let cleaned = octets.filter { $0 != 0x22 && $0 != 0x5C }
        if cleaned.count < octets.count, (try? KeyRecord(parsing: cleaned))?.key == own {
            return fault(.recordQuoted, "the record holds quotes or backslashes of its own")
        }
        if let published = Self.publishedKey(octets), !published.isEmpty {
            let right = Array(Base64.encode(own.recordOctets).utf8)
            if published.count < right.count, right.starts(with: published) {
                return fault(
                    .recordTruncated,
                    "p= has \(published.count) characters of \(right.count)")
            }
        }
        do throws(KeyRecordError) {
            let record = try KeyRecord(parsing: octets)
            return fault(
                .recordMismatch,
                "another key is published (\(record.key.bits) bits) than \(key.path) has")
        } catch .revoked {
            return fault(.recordRevoked, "p= is empty")
        } catch {
            return fault(.recordUnreadable, error.description)
        }
    }

    /// What the tags beside the right key say.
    private func flags(
        _ record: KeyRecord, _ octets: [UInt8], _ fault: (DiagnosisKind, String) -> Diagnosis
    ) -> [Diagnosis] {
        var findings: [Diagnosis] = []
        if !record.allowsSHA256 { findings.append(fault(.recordHash, "h= does not name sha256")) }
        if !record.servesMail { findings.append(fault(.recordService, "s= does not name email")) }
        if record.forbidsSubdomains, let identity = key.identity, identity != key.domain {
            findings.append(
                fault(.recordSubdomains, "t=s is set, and signatures have i=@\(identity.ascii)"))
        }
        if record.isTesting { findings.append(fault(.recordTesting, "t=y is set")) }
        if let published = Self.publishedKey(octets, withSpace: true),
            published.contains(where: { $0.isFoldingSpace })
        {
            findings.append(fault(.recordSpace, "there is white space inside p="))
        }
        return findings
    }

    private func strength(_ own: PublicKey) -> [Diagnosis] {
        guard case .rsa(let bits) = own.algorithm, bits < 2048 else { return [] }
        let command =
            "signet key new -d \(key.domain.ascii) -s \(key.selector.ascii)b -D /etc/signet/keys/\(key.domain.ascii)"
        return [
            Diagnosis(
                bits < KeyLimits.leastSigningBits ? .keyWeak : .keySmall, key.path,
                "the key of \(key.selector.ascii)._domainkey.\(key.domain.ascii) has \(bits) bits",
                mend: .command(command))
        ]
    }

    // MARK: Pieces

    /// Whether the records, in some order that begins with a version or p=, make the right one.
    private func isOneRecordInPieces(_ texts: [[[UInt8]]], _ own: PublicKey) -> Bool {
        guard texts.count <= 4 else { return false }
        let pieces = texts.map { Array($0.joined()) }
        guard !pieces.contains(where: { (try? KeyRecord(parsing: $0))?.key == own }) else {
            return false
        }
        return Self.orders(pieces).contains {
            (try? KeyRecord(parsing: Array($0.joined())))?.key == own
        }
    }

    /// All orders of a few pieces.
    private static func orders(_ pieces: [[UInt8]]) -> [[[UInt8]]] {
        guard pieces.count > 1 else { return [pieces] }
        return pieces.indices.flatMap { index in
            var rest = pieces
            let first = rest.remove(at: index)
            return orders(rest).map { [first] + $0 }
        }
    }

    /// The value of p=, without its white space or with it.
    private static func publishedKey(_ octets: [UInt8], withSpace: Bool = false) -> [UInt8]? {
        guard let list = try? TagList(parsing: octets), let tag = list.tag("p") else { return nil }
        let value = octets[tag.value]
        return withSpace ? Array(value) : value.filter { !$0.isFoldingSpace }
    }
}
