/// Makes domain names of what stands after the "@" of authors' addresses, for the From fields of one message.
///
/// A Unicode name costs a hundred times what one in ASCII does, and a megabyte can hold a hundred thousand. So each spelling
/// is converted once, and of more spellings than honest mail has none any more.
///
/// Trust: hostile names.
final class AuthorDomains {
    private static let maximumConversions = 512

    private var known: [[UInt8]: DomainName?] = [:]

    /// The domain name of these octets; nil where they are none, or where too many have been asked for.
    func domain(_ octets: [UInt8]) -> DomainName? {
        guard octets.contains(where: { $0 >= 0x80 }) else { return try? DomainName(bytes: octets) }
        if let name = known[octets] { return name }
        guard known.count < Self.maximumConversions else { return nil }
        let name = try? DomainName(bytes: octets)
        known[octets] = .some(name)
        return name
    }
}
