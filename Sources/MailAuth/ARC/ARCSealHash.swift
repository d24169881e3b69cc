internal import MailCrypto
internal import MailSyntax

/// The hashes that the seals of a chain sign (RFC 8617, section 5.1.1).
///
/// "The ARC Set header field values are supplied to the hash function in increasing instance order,
/// starting at 1": so each hash begins as the one before it, and all take one pass.
///
/// Trust: any chain; linear time.
enum ARCSealHash {
    /// The hash for each seal, in order of the sets.
    static func all(
        _ sets: [ARCChain.Fields], _ seals: [ARCSealField], in header: HeaderSection
    ) -> [[UInt8]] {
        let bytes = header.bytes.span
        var digest = SHA256()
        var hashes: [[UInt8]] = []
        for (set, seal) in zip(sets, seals) {
            var canonical: [UInt8] = []
            for position in [set.authenticationResults, set.messageSignature] {
                HeaderCanonicalizer.append(
                    header.fields[position], of: bytes, .relaxed, to: &canonical)
            }
            digest.update(canonical.span)
            var last: [UInt8] = []
            HeaderCanonicalizer.append(
                signature: header.fields[set.seal], blanking: seal.blank, of: bytes, .relaxed,
                to: &last)
            hashes.append(digest.hash(with: last.span))
            canonical.removeAll(keepingCapacity: true)
            HeaderCanonicalizer.append(
                header.fields[set.seal], of: bytes, .relaxed, to: &canonical)
            digest.update(canonical.span)
        }
        return hashes
    }
}
