public import MailCrypto
public import MailSyntax

/// A DKIM key record (RFC 6376, section 3.6.1; RFC 8463, section 4.2).
///
/// Trust: whatever somebody published; bounded in size before it is read.
public struct KeyRecord: Sendable {
    /// The kind of key (`k=`).
    public let type: KeyType
    /// The key (`p=`).
    public let key: PublicKey
    /// Whether SHA-256 may be used with it (`h=`).
    public let allowsSHA256: Bool
    /// Whether it is for mail (`s=`).
    public let servesMail: Bool
    /// Whether the domain is only testing DKIM (`t=y`).
    public let isTesting: Bool
    /// Whether `i=` must have the very domain of `d=` (`t=s`).
    public let forbidsSubdomains: Bool
    /// What the record says to people (`n=`), undecoded.
    public let notes: String?

    /// The longest record: an RSA key of 8192 bits takes 1,432 characters.
    public static let maximumLength = 8192

    /// Reads a record: the character strings of one TXT record, joined without anything in between
    /// (RFC 6376, section 3.6.2.2).
    public init(parsing text: [UInt8]) throws(KeyRecordError) {
        guard text.count <= Self.maximumLength else { throw .tooLong(octets: text.count) }
        let tags: TagList
        do throws(TagListError) {
            tags = try TagList(parsing: text)
        } catch {
            throw .tagList(error)
        }
        if let version = tags["v"] {
            // "MUST be set to DKIM1"; "This tag MUST be the first tag in the record."
            guard version.elementsEqual("DKIM1".utf8),
                tags.tags.first?.name == tags.tag("v")?.name
            else { throw .version }
        }
        let typeName = tags["k"].map { String(decoding: $0.asciiLowercased, as: UTF8.self) }
        guard let type = KeyType(rawValue: typeName ?? "rsa") else { throw .unknownKeyType }
        self.type = type
        allowsSHA256 = Self.list(tags, "h", contains: ["sha256"]) ?? true
        servesMail = Self.list(tags, "s", contains: ["*", "email"]) ?? true
        isTesting = Self.list(tags, "t", contains: ["y"]) ?? false
        forbidsSubdomains = Self.list(tags, "t", contains: ["s"]) ?? false
        notes = tags.text("n")
        guard let data = tags["p"] else { throw .noKey }
        guard !data.isEmpty else { throw .revoked }
        guard let octets = Base64.decode(data) else { throw .notBase64 }
        do throws(KeyError) {
            key =
                switch type {
                case .rsa: try PublicKey(rsa: octets.span)
                case .ed25519: try PublicKey(ed25519: octets.span)
                }
        } catch {
            throw .key(error)
        }
    }

    /// Whether a colon-separated list has one of some words; nil where there is no such tag.
    private static func list(
        _ tags: TagList, _ name: String, contains words: [String]
    ) -> Bool? {
        tags.list(name)?.contains { item in
            words.contains { item.equalsIgnoringASCIICase($0.utf8) }
        }
    }
}

/// Why a TXT record is no key record that can be used.
public enum KeyRecordError: Error, Hashable, Sendable {
    /// It is longer than any key.
    case tooLong(octets: Int)
    /// It is no tag-list.
    case tagList(TagListError)
    /// `v=` is something other than DKIM1, or is not first.
    case version
    /// A kind of key that nobody has defined.
    case unknownKeyType
    /// There is no `p=`.
    case noKey
    /// `p=` is empty: the key has been revoked.
    case revoked
    /// `p=` is not base64.
    case notBase64
    /// `p=` holds no key that we use.
    case key(KeyError)
}

extension KeyRecordError: CustomStringConvertible {
    /// A sentence for a person.
    public var description: String {
        switch self {
        case .tooLong(let octets): "the key record has \(octets) octets, more than any key"
        case .tagList(.duplicate(let name)): "the key record has the tag \(name)= twice"
        case .tagList: "the key record is not a list of tags"
        case .version: "the key record is of an unknown version"
        case .unknownKeyType: "the key record is for an unknown kind of key"
        case .noKey: "the key record has no key"
        case .revoked: "the key has been revoked"
        case .notBase64: "the key in the key record is not base64"
        case .key(let error): "the key record is unusable: \(error.description)"
        }
    }
}
