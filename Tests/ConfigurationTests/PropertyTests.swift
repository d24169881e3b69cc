import MailSyntax
import TestKit
import Testing

@testable import Configuration

/// What holds for every input, tried on many that chance makes (always the same ones).
@Suite struct PropertyTests {
    private func text(
        _ alphabet: [String], upTo count: Int, _ chance: inout SeededGenerator
    ) -> String {
        (0..<Int.random(in: 0...count, using: &chance)).map { _ in
            alphabet.randomElement(using: &chance) ?? ""
        }.joined()
    }

    @Test func `no configuration makes the reader fail`() {
        var chance = SeededGenerator(seed: 1)
        let pieces = [
            "Syslog", "yes", " ", "\t", "\n", "=", ":", "#", "Socket", "unix:/", "inet:", "@",
            "\u{0}",
            "KeyTable", "csl:", "refile:/", ",", "!", "InternalHosts", "10.0.0.0", "/8", "::1", "[",
            "]",
            "ü", "\r", "\r\n", "Include", "/", "*", ".", "9999999999999999999", "-", "UMask",
            "DNSTimeout",
        ]
        for _ in 0..<3000 {
            let reader = reader(text(pieces, upTo: 24, &chance))
            _ = reader.peerSet("InternalHosts")
            _ = reader.dataSet("KeyTable")
            _ = reader.domainSet("ExemptDomains")
            #expect(reader.problems.allSatisfy { !$0.description.contains("\n") })
        }
        for _ in 0..<1000 {
            let bytes = (0..<40).map { _ in UInt8.random(in: 0...255, using: &chance) }
            _ = TextLines.split(bytes, file: "f") { _ in }
        }
    }

    /// The textbook definition of wildcards, exponential and obviously right.
    private func matches(_ pattern: Substring, _ text: Substring) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == "*" {
            return matches(pattern.dropFirst(), text)
                || (!text.isEmpty && matches(pattern, text.dropFirst()))
        }
        guard let byte = text.first, first == "?" || first == byte else { return false }
        return matches(pattern.dropFirst(), text.dropFirst())
    }

    @Test func `wildcards agree with their definition`() throws {
        var chance = SeededGenerator(seed: 2)
        for _ in 0..<5000 {
            let pattern = text(["a", "b", "*", "?"], upTo: 7, &chance)
            let subject = text(["a", "b"], upTo: 9, &chance)
            let expected = matches(pattern[...], subject[...])
            #expect(
                try Glob(pattern, syntax: .full).matches(subject) == expected,
                "\(pattern) \(subject)")
        }
    }

    @Test func `a client is in a set as the longest network that holds it says`() throws {
        var chance = SeededGenerator(seed: 4)
        for _ in 0..<400 {
            var networks: [(network: IPNetwork, isMember: Bool)] = []
            for _ in 0..<6 {
                let address = IPAddress.v4(UInt32.random(in: 0...15, using: &chance) << 28)
                let length = Int.random(in: 0...4, using: &chance)
                let network = try #require(IPNetwork(address, prefixLength: length))
                guard !networks.contains(where: { $0.network == network }) else { continue }
                networks.append((network, Bool.random(using: &chance)))
            }
            let list = networks.map { ($0.isMember ? "" : "!") + $0.network.description }
            let set = try #require(
                reader("InternalHosts \(list.joined(separator: ","))").peerSet("InternalHosts"))
            for top in 0..<UInt32(16) {
                let address = IPAddress.v4(top << 28 | 1)
                let best = networks.filter { $0.network.contains(address) }
                    .max { $0.network.prefixLength < $1.network.prefixLength }
                #expect(set.contains(hostName: nil, address: address) == (best?.isMember ?? false))
            }
        }
    }
}
