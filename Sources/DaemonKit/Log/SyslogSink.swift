import Glibc

/// Writes lines to the machine's syslog service, one datagram each (RFC 3164 form, as syslog(3) sends it).
///
/// A socket of our own rather than syslog(3): that one waits without end for a service that does not read.
struct SyslogSink: LogSink {
    /// The facilities of syslog.conf(5).
    static let facilities: [String: Int32] = [
        "kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7,
        "uucp": 8, "cron": 9, "authpriv": 10, "ftp": 11, "local0": 16, "local1": 17, "local2": 18,
        "local3": 19, "local4": 20, "local5": 21, "local6": 22, "local7": 23,
    ]

    private let path: String
    private let facility: Int32
    private let tag: String
    private var socket: DatagramSocket?
    private var patience = Patience()
    /// Takes the lines while there is no syslog service.
    private var fallback: any LogSink

    /// Names the service's socket; `name` stands before every line.
    init(path: String = "/dev/log", facility: String, name: String, fallback: any LogSink) {
        self.path = path
        self.facility = Self.facilities[facility] ?? 2
        tag = "\(name)[\(getpid())]: "
        self.fallback = fallback
        socket = DatagramSocket(connectedTo: path)
    }

    mutating func write(_ line: [UInt8], level: Log.Level) {
        if patience.lost > 0 {
            let notice = "\(patience.lost) log lines were lost"
            guard send(Array(notice.utf8), level: .warning) else {
                patience.failed()
                return
            }
        }
        if send(line, level: level) {
            patience.succeeded()
        } else if socket == nil {
            fallback.write(line, level: level)
        } else {
            patience.failed()
        }
    }

    private mutating func send(_ line: [UInt8], level: Log.Level) -> Bool {
        let header = "<\(facility << 3 | level.rawValue)>\(Self.timestamp()) \(tag)"
        let datagram = Array(header.utf8) + line
        let deadline = Patience.deadline()
        var mayReconnect = true
        while true {
            if socket == nil { socket = DatagramSocket(connectedTo: path) }
            guard let socket else { return false }
            switch socket.send(datagram) {
            case .sent:
                return true
            case .full:
                guard patience.wait(for: socket.descriptor, until: deadline) else { return false }
            case .broken:
                // The service was restarted; its new socket has the old name.
                self.socket = nil
                guard mayReconnect else { return false }
                mayReconnect = false
            }
        }
    }

    /// Local time in RFC 3164's form, whatever the locale.
    private static func timestamp() -> String {
        var now = time(nil)
        var local = unsafe tm()
        _ = unsafe localtime_r(&now, &local)
        let (month, day) = unsafe (Int(local.tm_mon), local.tm_mday)
        let clock = unsafe [local.tm_hour, local.tm_min, local.tm_sec]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let name = months.indices.contains(month) ? months[month] : months[0]
        let time = clock.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        return "\(name) \(day < 10 ? " " : "")\(day) \(time)"
    }
}
