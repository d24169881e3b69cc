package import MailAuth
package import MailSyntax

/// What SMTP told before the message: who sends, and for whom.
///
/// Trust: HELO and the reverse-path are what the client said.
package struct Envelope: Sendable {
    /// The client's address; nil over a Unix socket.
    package let address: IPAddress?
    /// The last HELO name; there are two with STARTTLS.
    package let helo: [UInt8]
    /// The reverse-path; nil where it cannot be read, or is not known.
    package let reversePath: ReversePath?
    /// The SPF check of the MAIL FROM identity; nil where there is nothing to check.
    ///
    /// A reverse-path that cannot be read in one way, or that has no domain, has no identity.
    package let spfRequest: SPFRequest?

    /// What a client has said; without arguments, that of a message that has not come by SMTP.
    package init(address: IPAddress? = nil, helo: [UInt8] = [], reversePath: ReversePath? = nil) {
        self.address = address
        self.helo = helo
        self.reversePath = reversePath
        spfRequest = Self.spfRequest(address, helo, reversePath)
    }

    /// The envelope of which no more is known than an SPF check needs.
    package init(_ request: SPFRequest) {
        address = request.client
        helo = request.helo
        reversePath = nil
        spfRequest = request
    }

    private static func spfRequest(
        _ address: IPAddress?, _ helo: [UInt8], _ reversePath: ReversePath?
    ) -> SPFRequest? {
        guard let address, let reversePath else { return nil }
        switch reversePath {
        case .null:
            return .mailFrom([], helo: helo, client: address)
        case .mailbox(let mailbox):
            guard let domain = mailbox.domain else { return nil }
            return .mailFrom(
                mailbox.localPart + Array("@\(domain.ascii)".utf8), helo: helo, client: address)
        }
    }
}
