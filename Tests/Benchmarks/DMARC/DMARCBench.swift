internal import Foundation
internal import MailAuth
internal import MailDNS
internal import TestKit

/// signet-dmarc, Debian's filters that do the same together, and the filter that does nothing.
struct DMARCBench {
    /// The keys of example.org.
    let keys: Keys
    private let directory: TemporaryDirectory
    private let nameserver: NSDServer
    /// Where Debian puts the peer.
    static let opendmarc = "/usr/sbin/opendmarc"

    /// Prepares the keys and a name server.
    init() throws {
        keys = try Keys()
        directory = try TemporaryDirectory("signet-benchmark")
        nameserver = try NSDServer(Self.zone(keys))
    }

    /// What example.org publishes: a key, a policy, and an SPF record that includes a provider's.
    static func zone(_ keys: Keys) -> String {
        keys.zone + """
            example.org. IN TXT "v=spf1 mx include:_spf.provider.example -all"
            example.org. IN MX 10 mail.example.org.
            mail.example.org. IN A 198.51.100.7
            _spf.provider.example. IN TXT "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.128/25 ~all"
            _dmarc.example.org. IN TXT "v=DMARC1; p=reject; rua=mailto:d@example.org"

            """
    }

    /// Mail that passes by SPF and by DKIM, as it comes from outside.
    static func mail(_ keys: Keys, _ fields: MailMessage.Field...) throws -> Transcript.Mail {
        var message = try Mail.signed(Mail.ordinary, with: keys.rsa)
        message.fields = fields + message.fields
        return Transcript.Mail(message: message)
    }

    /// The filter that does nothing.
    func null() throws -> Subject {
        let socket = directory.file("null")
        let process = try ChildProcess(try DaemonProcess.path(of: "NullFilter"), [socket])
        return try .started(
            "null filter", socket, process, pid: process.pid, try Self.mail(keys), nil)
    }

    /// Ours: SPF, DKIM, ARC and DMARC, each evaluation recorded in the report store.
    func ours(_ extra: String = "") throws -> Subject {
        let own = try TemporaryDirectory("signet-benchmark")
        let daemon = try DaemonProcess(
            "signet-dmarc",
            configuration: """
                Nameservers 127.0.0.1@\(nameserver.nameserver.port)
                Socket unix:\(own.file("socket"))
                \(extra.isEmpty ? "ReportStore \(own.file("reports.db"))" : extra)
                SyslogSuccess no

                """,
            directory: own)
        return try .started(
            "signet-dmarc" + (extra.isEmpty ? "" : ", \(extra)"), own.file("socket"), daemon,
            pid: daemon.pid, try Self.mail(keys), "dmarc=pass")
    }

    /// Debian's opendmarc, which checks SPF itself and is told the DKIM result by a field of opendkim's; nil where it cannot run.
    ///
    /// It asks the name servers of resolv.conf at port 53 only. So it gets a network and a resolv.conf of its own, for which one
    /// must be root.
    func peer() throws -> Subject? {
        guard FileManager.default.isExecutableFile(atPath: Self.opendmarc), getuid() == 0 else {
            return nil
        }
        let path = directory.path
        try directory.write("nameserver 127.0.0.1\n", to: "resolv.conf")
        try directory.write(NSDConfiguration.rootApex + Self.zone(keys), to: "peer.zone")
        let nsd = NSDConfiguration(
            path: path, addresses: ["127.0.0.1@53"], zones: NSDConfiguration.root("peer.zone"))
        try directory.write(nsd.text, to: "peer-nsd.conf")
        try directory.write(
            """
            Socket local:\(path)/peer
            AuthservID peer.example.org
            TrustedAuthservIDs mx.example.org
            HistoryFile \(path)/peer.history
            PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat
            SPFSelfValidate true
            Syslog false

            """, to: "peer.conf")
        let process = try ChildProcess(
            "/usr/bin/unshare",
            [
                "--net", "--mount", "/bin/sh", "-ec",
                """
                ip link set lo up
                mount --bind resolv.conf /etc/resolv.conf
                nsd -d -c peer-nsd.conf &
                sleep 1
                exec \(Self.opendmarc) -f -c peer.conf
                """.replacing("resolv.conf /", with: "\(path)/resolv.conf /")
                    .replacing("-c peer", with: "-c \(path)/peer"),
            ])
        let mail = try Self.mail(
            keys,
            MailMessage.Field(
                "Authentication-Results",
                " mx.example.org;\n\tdkim=pass (2048-bit key) header.d=example.org"
                    + " header.i=@example.org header.a=rsa-sha256 header.s=rsa header.b=abcdefgh"))
        return try .started(
            "opendmarc with SPF, told DKIM's result", directory.file("peer"), process,
            pid: process.pid, mail, "dmarc=pass")
    }
}
