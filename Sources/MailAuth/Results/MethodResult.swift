/// The result of one authentication method, as a field reports it: `resinfo` of RFC 8601, section 2.2.
///
/// Trust: the texts may come from hostile mail, whether a field was parsed or is to be written; the
/// writer keeps each in its place.
public struct MethodResult: Hashable, Sendable {
    /// One `ptype.property=value` (RFC 8601, section 2.3).
    public struct Property: Hashable, Sendable {
        /// The kind of property, in lower case: `smtp`, `header`, `body`, `policy`; "" where a field that
        /// is not well formed gave none.
        public var ptype: String
        /// The property's name, in lower case.
        public var name: String
        /// The value without quotes; an address with a quoted local-part keeps those quotes.
        public var value: String

        /// Creates a property.
        public init(_ ptype: String, _ name: String, _ value: String) {
            self.ptype = ptype
            self.name = name
            self.value = value
        }
    }

    /// The method, in lower case: `dkim`, `spf`, `dmarc`.
    public var method: String
    /// The method's version; nil means 1 (RFC 8601, section 2.6).
    public var version: Int?
    /// The result, in lower case: `pass`, `fail`.
    public var result: String
    /// A comment after the result, for people.
    public var comment: String?
    /// The reason, for people.
    public var reason: String?
    /// What was evaluated, in order.
    public var properties: [Property]

    /// Creates a result.
    public init(
        _ method: String, version: Int? = nil, _ result: String, comment: String? = nil,
        reason: String? = nil, properties: [Property] = []
    ) {
        self.method = method
        self.version = version
        self.result = result
        self.comment = comment
        self.reason = reason
        self.properties = properties
    }

    /// Whether the method's version is the one that is known here; results of others mean something that is not
    /// known (RFC 8601, section 2.6).
    public var isSupportedVersion: Bool { version.map { $0 == 1 } ?? true }

    /// The value of the first property of this kind and name.
    public subscript(ptype: String, name: String) -> String? {
        properties.first { $0.ptype == ptype && $0.name == name }?.value
    }

    /// The result with one property more, or as it is if there is no value.
    public func with(_ ptype: String, _ name: String, _ value: String?) -> MethodResult {
        var result = self
        result.add(ptype, name, value)
        return result
    }

    /// Adds a property, if there is a value.
    private mutating func add(_ ptype: String, _ name: String, _ value: String?) {
        if let value { properties.append(Property(ptype, name, value)) }
    }
}

/// The methods that the suite reports, with the properties registered for each.
extension MethodResult {
    /// A DKIM signature's result (RFC 8601, section 2.7.1; RFC 6008 for `header.b`).
    ///
    /// - Parameters:
    ///   - result: `none`, `pass`, `fail`, `policy`, `neutral`, `temperror` or `permerror`.
    ///   - comment: for people, such as `2048-bit key; unprotected`.
    ///   - domain: the signing domain, `d=`.
    ///   - identity: the agent or user, `i=`, with its "@"; left out where it cannot be written as one.
    ///   - algorithm: the signature's algorithm, `a=`.
    ///   - selector: the selector, `s=`.
    ///   - signature: enough of the signature, `b=`, to tell it from others: see
    ///     `signaturePrefixes(of:)`.
    /// - Returns: the result with the properties that have values.
    public static func dkim(
        _ result: String, comment: String? = nil, domain: String? = nil, identity: String? = nil,
        algorithm: String? = nil, selector: String? = nil, signature: String? = nil
    ) -> MethodResult {
        var method = MethodResult("dkim", result, comment: comment)
        method.properties.reserveCapacity(5)
        method.add("header", "d", domain)
        // Quoted or mended it would name another; the domain is there.
        method.add("header", "i", identity.flatMap { ResultsText.canBeIdentity($0) ? $0 : nil })
        method.add("header", "a", algorithm)
        method.add("header", "s", selector)
        method.add("header", "b", signature)
        return method
    }

    /// An SPF result (RFC 8601, section 2.7.2): of the reverse-path, or of the HELO name.
    public static func spf(
        _ result: String, comment: String? = nil, mailFrom: String? = nil, helo: String? = nil
    ) -> MethodResult {
        MethodResult("spf", result, comment: comment)
            .with("smtp", "mailfrom", mailFrom).with("smtp", "helo", helo)
    }

    /// A DMARC result (RFC 9989, section 9.1): of the author domain, with the policy that applies to it.
    public static func dmarc(
        _ result: String, comment: String? = nil, from domain: String? = nil, policy: String? = nil
    ) -> MethodResult {
        MethodResult("dmarc", result, comment: comment)
            .with("header", "from", domain).with("policy", "dmarc", policy)
    }

    /// An ARC result (RFC 8617, section 7.1).
    public static func arc(
        _ result: String, comment: String? = nil, oldestPass: Int? = nil, remoteIP: String? = nil
    ) -> MethodResult {
        MethodResult("arc", result, comment: comment)
            .with("header", "oldest-pass", oldestPass.map(String.init))
            .with("smtp", "remote-ip", remoteIP)
    }

    /// A result of the reverse lookup of the client's address (RFC 8601, section 2.7.3).
    public static func iprev(
        _ result: String, comment: String? = nil, address: String? = nil
    ) -> MethodResult {
        MethodResult("iprev", result, comment: comment).with("policy", "iprev", address)
    }

    /// A result of SMTP AUTH (RFC 8601, section 2.7.4).
    public static func auth(
        _ result: String, comment: String? = nil, user: String? = nil, mailFrom: String? = nil
    ) -> MethodResult {
        MethodResult("auth", result, comment: comment)
            .with("smtp", "auth", user).with("smtp", "mailfrom", mailFrom)
    }

    /// The start of each signature that `header.b` must have: eight characters at least, and as many as
    /// tell it from the others (RFC 6008, section 4).
    ///
    /// Signatures that are equal can not be told apart, and keep equal starts.
    public static func signaturePrefixes(of signatures: [String]) -> [String] {
        let octets = signatures.map { Array($0.utf8) }
        return octets.map { signature in
            var length = 8
            for other in octets where other != signature {
                let common = zip(signature, other).prefix { $0 == $1 }.count
                length = max(length, common + 1)
            }
            return String(decoding: signature.prefix(length), as: UTF8.self)
        }
    }
}
