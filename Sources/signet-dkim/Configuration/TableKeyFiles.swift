import Configuration
import MailCrypto

/// The files that the lines of key tables name: how many, and what was read of them already.
///
/// A key takes about a millisecond to be read and tried, which with 100,000 of them is minutes.
final class TableKeyFiles {
    /// With more files than this each is read when it first signs.
    static let mostRead = 1000

    /// How many there are.
    private(set) var count = 0
    private var read: [String: PrivateKey?] = [:]

    /// Whether they are too many to be read with the configuration.
    var areDeferred: Bool { count > Self.mostRead }

    /// Counts the files that lines name in full.
    func plan(for entries: [DataSet.Entry]) {
        let paths = entries.lazy.compactMap { $0.fields(atMost: 4).dropFirst(2).first }
            .filter { $0.hasPrefix("/") || $0.hasPrefix(".") }
            .filter { !$0.contains("%") }
        count = Set(paths).count
    }

    /// The key of a file, which is read once whatever the number of lines that name it; nil for one of no use.
    func key(_ path: String, reading: () -> PrivateKey?) -> PrivateKey? {
        if let known = read[path] { return known }
        let key = reading()
        read[path] = .some(key)
        return key
    }
}
