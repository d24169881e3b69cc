import Glibc

/// The name of this host.
public enum HostName {
    /// What gethostname(2) says; nil when it says nothing.
    public static var current: String? {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return nil }
        let name = buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
    }
}
