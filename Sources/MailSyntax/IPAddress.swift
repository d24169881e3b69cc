/// An IPv4 or IPv6 address.
///
/// Trust: parses text that an attacker may have written; never traps.
public enum IPAddress: Hashable, Sendable {
    /// An IPv4 address, most significant octet first.
    case v4(UInt32)
    /// An IPv6 address, most significant octet first.
    case v6(UInt128)
}
