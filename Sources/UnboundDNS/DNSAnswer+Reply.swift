internal import MailDNS

extension DNSAnswer {
    /// What a reply of libunbound means.
    init(_ reply: UnboundReply, to type: RecordType) {
        let status: DNSSECStatus = reply.isSecure ? .secure : .insecure
        if let reason = reply.bogusReason {
            self = .failure(.bogus(reason: reason))
            return
        }
        switch reply.responseCode {
        case 0:
            guard let data = reply.records else {
                self = .failure(.malformed)
                return
            }
            var records: [DNSRecord] = []
            for data in data {
                guard let record = DNSRecord(type, data: data) else {
                    self = .failure(.malformed)
                    return
                }
                records.append(record)
            }
            self = records.isEmpty ? .noData(status) : .records(records, status)
        case 3:
            self = .nameError(status)
        case let code:
            self = .failure(.serverFailure(responseCode: code))
        }
    }
}
