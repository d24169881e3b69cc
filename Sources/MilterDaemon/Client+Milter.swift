public import Milter
public import Traffic

extension Client {
    /// The client that the MTA tells of when a connection begins.
    ///
    /// - Parameters:
    ///   - peer: the client.
    ///   - macros: the MTA's macros.
    public init(_ peer: MilterPeer, _ macros: borrowing MilterMacros) {
        self.init()
        hostName = peer.hostName
        address = peer.address
        daemonName = macros["{daemon_name}"]
    }
}
