internal import Glibc
internal import TestKit

/// Questions on several connections at once, from one thread.
struct PolicyLoad {
    /// The questions of one run are of this many domains, one after the other.
    static let domains = 50

    /// Answers of one run, by their beginnings.
    private(set) var answers: [String: Int] = [:]
    private var asked = 0

    /// A zone with ordinary records: networks, a name, an include, and a policy for all others.
    static var zone: String {
        var lines = [
            "_spf.provider.example. IN TXT \"v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/25 ~all\""
        ]
        for index in 0..<domains {
            let other = index % 5 == 4 ? "203.0.113.9" : "203.0.113.8"
            lines += [
                "d\(index).example. IN TXT \"v=spf1 ip4:\(other) a:mail.d\(index).example "
                    + "\(index % 5 == 4 ? "" : "include:_spf.provider.example ")-all\"",
                "mail.d\(index).example. IN A 203.0.113.10",
            ]
        }
        return lines.joined(separator: "\n")
    }

    /// Asks `count` questions; every connection is busy all the time.
    mutating func run(_ count: Int, on connections: [LoopbackSocket]) throws {
        var received = [[UInt8]](repeating: [], count: connections.count)
        var begun = 0
        var ended = 0
        for connection in connections.prefix(count) {
            try connection.write(question())
            begun += 1
        }
        var polled = connections.map {
            pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0)
        }
        while ended < count {
            guard unsafe poll(&polled, nfds_t(polled.count), 60_000) > 0 else {
                throw TestKitError("no answer in a minute")
            }
            for index in connections.indices where polled[index].revents != 0 {
                let octets = try connections[index].read()
                guard !octets.isEmpty else { throw TestKitError("a connection was closed") }
                received[index] += octets
                guard received[index].suffix(2) == [10, 10] else { continue }
                let text = String(decoding: received[index].prefix(24), as: UTF8.self)
                answers[String(text.lowercased().prefix(14)), default: 0] += 1
                received[index].removeAll(keepingCapacity: true)
                ended += 1
                guard begun < count else { continue }
                begun += 1
                try connections[index].write(question())
            }
        }
    }

    /// A question as Postfix 3.7 asks it.
    private mutating func question() -> [UInt8] {
        asked += 1
        let domain = "d\(asked % Self.domains).example"
        return Array(
            """
            request=smtpd_access_policy
            protocol_state=RCPT
            protocol_name=ESMTP
            client_address=192.0.2.7
            client_name=mail.\(domain)
            client_port=40000
            reverse_client_name=mail.\(domain)
            server_address=203.0.113.25
            server_port=25
            helo_name=mail.\(domain)
            sender=user\(asked)@\(domain)
            recipient=to@mx.example
            recipient_count=0
            queue_id=
            instance=4d2.\(asked).0
            size=1234
            etrn_domain=
            stress=
            sasl_method=
            sasl_username=
            sasl_sender=
            ccert_subject=
            ccert_issuer=
            ccert_fingerprint=
            ccert_pubkey_fingerprint=
            encryption_protocol=TLSv1.3
            encryption_cipher=TLS_AES_256_GCM_SHA384
            encryption_keysize=256
            policy_context=


            """.utf8)
    }
}
