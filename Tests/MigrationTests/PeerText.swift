import Foundation

/// What is compared of the texts of a peer and of ours.
enum PeerText {
    /// The tags of a signature that a migration must not change; the list of signed fields is a listed difference.
    static func signature(_ value: String) -> [String: String] {
        var tags: [String: String] = [:]
        for tag in value.split(separator: ";") {
            let parts = tag.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            tags[parts[0].trimmingCharacters(in: .whitespacesAndNewlines)] = parts[1].filter {
                !$0.isWhitespace
            }
        }
        return tags.filter { ["v", "a", "c", "d", "s", "bh"].contains($0.key) }
    }

    /// A configuration without some directives: those that say how the program runs on its host.
    static func configuration(_ text: String, without directives: [String]) -> String {
        text.split(separator: "\n").filter { line in
            !directives.contains(String(line.prefix { !$0.isWhitespace }))
        }.map { "\($0)\n" }.joined()
    }
}
