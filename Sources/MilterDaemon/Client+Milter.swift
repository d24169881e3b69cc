public import Milter
public import Traffic

extension Client {
    /// The client that the MTA tells of when a connection begins.
    ///
    /// - Parameters:
    ///   - client: the client.
    ///   - macros: the MTA's macros.
    public init(_ client: MilterClient, _ macros: borrowing MilterMacros) {
        self.init()
        hostName = client.hostName
        address = client.address
        daemonName = macros["{daemon_name}"]
    }
}
