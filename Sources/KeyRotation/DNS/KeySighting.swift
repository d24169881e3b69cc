internal import MailAuth
package import MailCrypto
internal import MailDNS
internal import MailSyntax

/// Whether the DNS shows a key.
package enum KeySighting: Hashable, Sendable {
    /// Every server that can be asked shows it; resolvers may not see it for so many seconds.
    case shown(negativeTTL: Int64)
    /// A server shows something else, or nothing.
    case notShown(String)
    /// It cannot be told.
    case unknown(String)

    /// Judges what was seen.
    package init(_ sighting: RecordSighting, of key: PublicKey) {
        if let fault = sighting.fault {
            self = .unknown(fault)
            return
        }
        var unknown: String?
        for (name, servers) in Dictionary(grouping: sighting.servers, by: \.name).sorted(by: {
            $0.key < $1.key
        }) {
            for server in servers {
                let address = Self.plain(server.address)
                // A server that is given by its address has no other name.
                let who =
                    name == server.address.description ? address : "\(name) (\(address))"
                switch server.answer {
                case .noRoute: continue
                case .silent(let reason): unknown = unknown ?? "\(who): \(reason)"
                case .none:
                    self = .notShown("\(who) does not show it")
                    return
                case .texts(let texts, _):
                    guard let reason = Self.mismatch(texts, key) else { continue }
                    self = .notShown("\(who) \(reason)")
                    return
                }
            }
            if servers.allSatisfy({ $0.answer == .noRoute }) {
                unknown = unknown ?? "this host cannot reach \(name)"
            }
        }
        if sighting.servers.isEmpty { unknown = "there is no authoritative server" }
        self = unknown.map { .unknown($0) } ?? .shown(negativeTTL: sighting.negativeTTL)
    }

    /// Why some TXT records are not the record of a key; nil where they are.
    private static func mismatch(_ texts: [[UInt8]], _ key: PublicKey) -> String? {
        // RFC 6376, section 3.6.2.2: with several records "the results are undefined".
        guard texts.count == 1 else { return "shows \(texts.count) records" }
        do throws(KeyRecordError) {
            let record = try KeyRecord(parsing: texts[0])
            guard record.key == key else { return "shows another key" }
            guard record.servesMail, record.allowsSHA256 else {
                return "shows the key with tags that forbid mail or SHA-256"
            }
            return nil
        } catch {
            return "shows a record that is of no use: \(error)"
        }
    }

    private static func plain(_ server: Nameserver) -> String {
        server.port == 53 ? server.address.description : server.description
    }
}
