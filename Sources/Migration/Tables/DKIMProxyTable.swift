extension DirectiveTable {
    /// The directives of dkimproxy.out.
    static let dkimproxy = DirectiveTable(
        """
        listen | dropped | Postfix asks the milter; there is no proxy to listen
        relay | dropped | Postfix delivers; there is no proxy that relays
        user | dropped | the unit chooses the user
        group | dropped | the unit chooses the group
        pidfile | dropped | systemd knows the process
        daemonize | dropped | the daemon stays in the foreground
        min_servers | dropped | one process serves all connections
        max_servers | dropped | one process serves all connections
        min_spare_servers | dropped | one process serves all connections
        max_spare_servers | dropped | one process serves all connections
        max_requests_per_child | dropped | one process serves all connections
        reject_error | none | On-SignatureError says what happens to mail that cannot be signed
        debug | dropped | -v is for that
        debug_trace | dropped | -v is for that
        """)
}
