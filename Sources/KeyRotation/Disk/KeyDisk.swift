package import MailCrypto
package import MailSyntax

/// Where a rotation keeps keys and its state.
///
/// A protocol, so that tests pass in disks that fail and stop.
/// Each method is atomic and lasting: after it has returned a crash changes nothing, and a kill before leaves what was.
package protocol KeyDisk: Sendable {
    /// The keys in a domain's folder; those that cannot be read are left out.
    func keys(of domain: DomainName) throws(DiskFailure) -> [DomainRotation.Lying]
    /// The selectors that sign; nil where every key of the folder does.
    func signing(_ domain: DomainName) throws(DiskFailure) -> [DomainName]?
    /// Writes the selectors that sign.
    func writeSigning(_ selectors: [DomainName], of domain: DomainName) throws(DiskFailure)
    /// The state's text; nil where there is none.
    func state(of domain: DomainName) throws(DiskFailure) -> [UInt8]?
    /// Writes the state's text.
    func writeState(_ text: String, of domain: DomainName) throws(DiskFailure)
    /// Makes a key file unless it is there.
    func makeKey(
        _ selector: DomainName, _ kind: KeyKind, bits: Int, of domain: DomainName
    ) throws(DiskFailure)
    /// The public half of a key.
    func publicKey(_ selector: DomainName, of domain: DomainName) throws(DiskFailure) -> PublicKey
    /// Destroys a private key; nothing where it is gone already.
    func destroyKey(_ selector: DomainName, of domain: DomainName) throws(DiskFailure)
    /// Puts a private key where everybody may read it, and takes it out of the folder.
    func revealKey(_ selector: DomainName, of domain: DomainName) throws(DiskFailure)
}

/// Why something could not be read or written.
package struct DiskFailure: Error, Hashable, CustomStringConvertible {
    /// The reason, with the path.
    package let description: String

    /// Gives a reason.
    package init(_ description: String) {
        self.description = description
    }
}
