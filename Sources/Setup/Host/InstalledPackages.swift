/// The packages that dpkg has installed, with their versions.
package struct InstalledPackages: Sendable {
    private var versions: [String: String] = [:]

    /// Reads /var/lib/dpkg/status.
    package init(_ status: [UInt8]) {
        var name: Substring?
        var isInstalled = false
        for line in String(decoding: status, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        {
            if line.isEmpty { (name, isInstalled) = (nil, false) }
            if line.hasPrefix("Package: ") { name = line.dropFirst(9) }
            if line.hasPrefix("Status: ") { isInstalled = line.hasSuffix(" installed") }
            if line.hasPrefix("Version: "), isInstalled, let name {
                versions[String(name)] = String(line.dropFirst(9))
            }
        }
    }

    /// The upstream version of a package, without epoch and Debian's revision; nil where it is not installed.
    package subscript(_ name: String) -> String? {
        versions[name].map { version in
            let upstream = version.split(separator: ":").last ?? ""
            return String(upstream.prefix { $0 != "-" })
        }
    }
}
