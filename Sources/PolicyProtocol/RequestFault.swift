/// Why a request could not be read.
package enum RequestFault: Hashable, Sendable, CustomStringConvertible {
    /// There is no attribute in it.
    case empty
    /// A line is no attribute.
    case notAnAttribute
    /// There is a NUL octet in it.
    case nul
    /// An attribute's value is too long.
    case longValue(PolicyRequest.Attribute)
    /// The whole request is too long.
    case tooLong
    /// The request does not end.
    case endless
    /// The rest of the request does not come.
    case late
    /// It is of a kind that is not known here.
    case otherRequest
    /// It is the first command of the milter protocol.
    case milterNegotiation

    /// The answer to the first command of the milter protocol: a failure for now (SMFIR_TEMPFAIL).
    package static let milterAnswer: [UInt8] = [0, 0, 0, 1, UInt8(ascii: "t")]

    /// Whether nothing that follows can be made sense of.
    package var endsConnection: Bool {
        switch self {
        case .endless, .late, .milterNegotiation: true
        case .empty, .notAnAttribute, .nul, .longValue, .tooLong, .otherRequest: false
        }
    }

    /// The fault in words.
    package var description: String {
        switch self {
        case .empty: "it is empty"
        case .notAnAttribute: "a line is not name=value"
        case .nul: "there is a NUL octet in it"
        case .longValue(let attribute):
            "\(attribute.rawValue) is longer than \(RequestDecoder.longestValue) octets"
        case .tooLong: "it is longer than \(RequestDecoder.longestRequest) octets"
        case .endless: "it does not end"
        case .late: "the empty line at its end is missing"
        case .otherRequest: "it is not of the kind smtpd_access_policy"
        case .milterNegotiation:
            "a client speaks the milter protocol, and this is a policy service; write it in "
                + "check_policy_service, not smtpd_milters"
        }
    }
}
