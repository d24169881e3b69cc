internal import MailDNS
internal import MailSyntax

extension UnboundResolver {
    /// How long a packet is waited for, and how many are sent.
    enum Pace {
        /// Three packets, 1.25 s apart: what is lost on the way is soon sent again.
        case quick
        /// One packet, for whose answer there is time.
        case patient
    }

    /// Makes the context of libunbound that the options describe.
    static func makeContext(
        _ options: Options, _ pace: Pace = .quick
    ) throws(SetupError) -> UnboundContext {
        let context: UnboundContext
        do throws(UnboundError) {
            context = try UnboundContext()
        } catch {
            throw .context(error.description)
        }
        do throws(SetupError) {
            try configure(context, options, pace)
        } catch {
            context.close()
            throw error
        }
        return context
    }

    private static func configure(
        _ context: UnboundContext, _ options: Options, _ pace: Pace
    ) throws(SetupError) {
        let modules = options.trustAnchorFile == nil ? "iterator" : "validator iterator"
        let chosen =
            [("module-config", modules)] + packets(pace) + families(of: options.nameservers)
        for (name, value) in settings + chosen {
            do throws(UnboundError) {
                try context.set(name, value)
            } catch {
                throw .option(name, error.description)
            }
        }
        for server in options.nameservers {
            do throws(UnboundError) {
                try context.forward(to: server.description)
            } catch {
                throw .nameserver(server, error.description)
            }
        }
        if options.nameservers.isEmpty {
            do throws(UnboundError) {
                try context.forward(toServersIn: options.resolvConf)
            } catch {
                throw .resolvConf(options.resolvConf, error.description)
            }
        }
        do throws(UnboundError) {
            if let file = options.trustAnchorFile { try context.addTrustAnchors(from: file) }
            // A server that was named knows what it answers for these (RFC 6761 names).
            let released = options.nameservers.isEmpty ? [] : specialUseNames
            for name in ["home.arpa."] + released { try context.removeLocalZone(name) }
        } catch {
            if let file = options.trustAnchorFile { throw .trustAnchors(file) }
            throw .context(error.description)
        }
    }

    /// Does without the address family that no server has, for which the library would keep a list
    /// of all ports, 240 kB.
    private static func families(of servers: [Nameserver]) -> [(String, String)] {
        let isIPv4 = servers.map { if case .v4 = $0.address { true } else { false } }
        if servers.isEmpty || Set(isIPv4).count == 2 { return [] }
        return [(isIPv4[0] ? "do-ip6" : "do-ip4", "no")]
    }

    /// Settings of unbound.conf(5) that differ from the library's.
    private static let settings = [
        // Small caches: the answers that matter are few, and AnswerCache stands in front.
        ("msg-cache-size", "1m"), ("rrset-cache-size", "2m"), ("key-cache-size", "512k"),
        // A socket for every question that may be under way, awaited or not: one without a socket would
        // wait behind those of a hostile message. The library's own values are 16 and 2.
        ("outgoing-range", "\(UnboundResolver.questionsUnderWay)"), ("outgoing-num-tcp", "8"),
        // RFC 9715: no fragments.
        ("edns-buffer-size", "1232"),
        // Servers on this host and names of private networks are the administrator's choice.
        ("do-not-query-localhost", "no"), ("unblock-lan-zones", "yes"),
        // What the library remembers about a server is out of date as soon as it is written, by an
        // hour, lest the clock be set back. Else names that a sender leaves hanging are taken for an
        // outage of the server that is asked for all names: after a few, every question fails at once,
        // for the rest of the second with 0 here (measured: one to six questions in a hundred beside 60
        // silent ones a second), for minutes with the library's 900.
        ("infra-host-ttl", "-3600"),
    ]

    /// How often, and how far apart, the library is to ask.
    ///
    /// An answer counts only until the next packet goes out: the library then closes the socket of the last. With equal gaps
    /// of 1.25 s, a way on which each packet takes longer would give no answer at all. So one packet more is patient, and a
    /// question that gets no answer is four packets: 36 of a hostile message are 144. (Twelve retries, 0.4 s apart at first,
    /// made 22 of each.)
    ///
    /// Up to 1.17 it sends two each time, from 1.19 on one (measured with 1.17.1 and 1.22.0).
    private static func packets(_ pace: Pace) -> [(String, String)] {
        let version = UnboundContext.version.split(separator: ".").prefix(2).compactMap { Int($0) }
        let sendsTwo = version.lexicographicallyPrecedes([1, 18])
        return switch pace {
        case .quick:
            [("infra-cache-min-rtt", "1250"), ("outbound-msg-retry", sendsTwo ? "1" : "3")]
        case .patient: [("infra-cache-min-rtt", "4250"), ("outbound-msg-retry", "1")]
        }
    }

    private static let specialUseNames = ["test.", "invalid.", "onion.", "localhost."]
}
