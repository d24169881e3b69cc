internal import Foundation

/// The source of a Debian package, as its authors released it, for what it has and its binary package has not.
///
/// Fetched and verified by apt once a month, with sources and lists of its own, so that the machine's configuration stays as it is;
/// kept outside the project, in `$SIGNET_CACHE` or `/var/cache/signet-tests`.
public struct DebianSource: Sendable {
    /// The unpacked source.
    public let path: String

    private static let fetching = NSLock()

    /// Finds or fetches the source of `package`, of the release whose packages apt installs here.
    public init(_ package: String) throws {
        let cache = ProcessInfo.processInfo.environment["SIGNET_CACHE"] ?? "/var/cache/signet-tests"
        let month = Date().formatted(.iso8601.year().month())
        path = "\(cache)/\(package)-source-\(month)"
        let manager = FileManager.default
        Self.fetching.lock()
        defer { Self.fetching.unlock() }
        guard !manager.fileExists(atPath: path) else { return }
        let new = "\(path).new.\(getpid())"
        try manager.createDirectory(atPath: new, withIntermediateDirectories: true)
        defer { try? manager.removeItem(atPath: new) }
        let script = """
            set -e
            cd "$1"
            mkdir -p apt/lists/partial apt/archives/partial
            apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \\
                'Created-By: Packages' 'Origin: Debian' | sort -u |
                sed 's,^,deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ,' >apt/sources.list
            private() {
                apt-get --quiet -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$PWD/apt/sources.list" \\
                    -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$PWD/apt/lists" \\
                    -o Dir::Cache="$PWD/apt" "$@"
            }
            private update
            private --download-only --tar-only source "$2"
            tar --extract --file ./*.orig.tar.* --strip-components 1
            rm -rf apt
            """
        try Command.require("sh", ["-c", script, "sh", new, package], seconds: 300)
        // Another process may have been faster.
        if unsafe rename(new, path) != 0, !manager.fileExists(atPath: path) {
            throw TestKitError("\(new) cannot be renamed: errno \(errno)")
        }
    }
}
