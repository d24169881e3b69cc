/// An nsd.conf(5) for a server without privileges, limits and control, whose files are all in one directory.
public struct NSDConfiguration {
    /// The directory.
    public let path: String
    /// Where it listens, each as `ADDRESS@PORT`.
    public let addresses: [String]
    /// The zones, as sections of nsd.conf.
    public let zones: String

    /// A configuration.
    public init(path: String, addresses: [String], zones: String) {
        (self.path, self.addresses, self.zones) = (path, addresses, zones)
    }

    /// How the file of a root zone begins: what follows are names relative to the root.
    public static let rootApex = """
        $ORIGIN .
        $TTL 300
        . IN SOA ns.invalid. postmaster.invalid. 1 3600 600 86400 300
        . IN NS ns.invalid.
        ns.invalid. IN A 127.0.0.1

        """

    /// The one zone of a server that answers for all names.
    public static func root(_ file: String) -> String {
        """
        zone:
            name: "."
            zonefile: "\(file)"
        """
    }

    /// The file.
    public var text: String {
        """
        server:
            \(addresses.map { "ip-address: \($0)" }.joined(separator: "\n    "))
            server-count: 1
            username: ""
            chroot: ""
            zonesdir: "\(path)"
            database: ""
            pidfile: "\(path)/nsd.pid"
            xfrdfile: "\(path)/xfrd.state"
            xfrdir: "\(path)"
            zonelistfile: "\(path)/zone.list"
            logfile: "\(path)/log"
            rrl-ratelimit: 0
        remote-control:
            control-enable: no
        \(zones)

        """
    }
}
