internal import Glibc
public import MailDNS

/// Whether any name server answers, told when it changes.
public enum NameserverState: Hashable, Sendable, CustomStringConvertible {
    /// None of these has answered since that time, in seconds since 1970.
    case down([Nameserver], since: Int64)
    /// This one, or another, answers again after so many seconds.
    case up(Nameserver?, downSeconds: Int64)

    /// The state in a line for a log.
    public var description: String {
        switch self {
        case .down(let servers, let since):
            let names = servers.map(\.description).joined(separator: ", ")
            let subject = servers.count == 1 ? "the DNS server" : "none of the DNS servers"
            let verb = servers.count == 1 ? "has not answered" : "has answered"
            return "\(subject) \(names) \(verb) since \(Self.time(since)); "
                + "questions fail at once until one answers"
        case .up(let server, let seconds):
            let name = server.map { " \($0)" } ?? ""
            return "the DNS server\(name) answers again, after \(seconds) seconds"
        }
    }

    private static func time(_ seconds: Int64) -> String {
        var seconds = time_t(seconds)
        var parts = unsafe tm()
        guard unsafe localtime_r(&seconds, &parts) != nil else { return "\(seconds)" }
        let clock = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec]
        return clock.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}
