import Foundation
import Synchronization
import TestKit

/// A message that is sent through a real Postfix, and the sentence about it: a block of played-stories.txt.
struct PlayedStory: Sendable {
    /// Where the client is.
    enum Place: Hashable, Sendable {
        case inside
        case listed
        case elsewhere
        case address(String)
    }

    /// How the message comes.
    enum Way: String, Sendable {
        case smtp
        case filtered
        case sendmail
        case dovecot
        case dropped
        case reset
        case huge
    }

    /// What the client has signed.
    enum Signature: String, Sendable {
        case intact
        case changed
        case lost
        case dead
    }

    let name: String
    /// Its place in the table: addresses are made of it.
    let number: Int
    var author = ""
    var sender: String?
    var recipient: String
    var place = Place.elsewhere
    var login: String?
    var helo = "out.example"
    var way = Way.smtp
    var signature: Signature?
    var code = 250
    var first: [String] = []
    var then: [String] = []
    var answer = ""

    init(_ name: String, number: Int) {
        (self.name, self.number) = (name, number)
        recipient = "\(name)@example.org"
    }

    /// The reverse-path, without angle brackets.
    var reversePath: String {
        guard let sender else { return author }
        return sender == "<>" ? "" : sender
    }

    /// The client's address.
    var address: String {
        switch place {
        case .inside: "203.0.113.\(20 + number)"
        case .listed: "192.0.2.\(20 + number)"
        case .elsewhere: "198.51.100.\(20 + number)"
        case .address(let address): address
        }
    }

    /// Its Message-ID, without angle brackets.
    var messageID: String { "\(name)@example.net" }

    /// Whether a sentence is the expected one.
    func isAnswered(by sentence: String) -> Bool {
        let pattern = answer.replacingOccurrences(of: "$TO", with: recipient)
            .replacingOccurrences(of: "$NEXT", with: SinkReplies.nextID(of: recipient))
        return Self.matches(
            sentence[...], pattern.split(separator: "*", omittingEmptySubsequences: false))
    }

    private static func matches(_ text: Substring, _ parts: [Substring]) -> Bool {
        guard let head = parts.first, text.hasPrefix(head) else { return false }
        var rest = text.dropFirst(head.count)
        guard parts.count > 1, let last = parts.last else { return rest.isEmpty }
        for part in parts.dropFirst().dropLast() {
            guard let range = rest.firstRange(of: part) else { return false }
            rest = rest[range.upperBound...]
        }
        return rest.hasSuffix(last)
    }

    // MARK: The table

    /// All stories, in their order.
    static let all: [PlayedStory] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "played-stories.txt")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        var stories: [PlayedStory] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let word = String(line.prefix { $0 != " " })
            let rest = String(line.dropFirst(word.count).drop { $0 == " " })
            if word == "STORY" {
                stories.append(PlayedStory(rest, number: stories.count))
            } else if !stories.isEmpty {
                stories[stories.count - 1].take(word, rest)
            }
        }
        return stories
    }()

    private mutating func take(_ word: String, _ text: String) {
        switch word {
        case "FROM": author = text
        case "SENDER": sender = text
        case "TO": recipient = text
        case "CLIENT":
            place =
                switch text {
                case "inside": .inside
                case "listed": .listed
                case "elsewhere": .elsewhere
                default: .address(text)
                }
        case "LOGIN": login = text
        case "HELO": helo = text
        case "VIA": way = Way(rawValue: text) ?? .smtp
        case "SIGNED": signature = Signature(rawValue: text)
        case "REPLY": code = Int(text) ?? 0
        case "FIRST": first.append(text)
        case "THEN": then.append(text)
        case "ANSWER": answer = text
        default: fatalError("played-stories.txt: \(word)")
        }
    }
}

/// How the next host answers, by the recipient.
enum SinkReplies {
    /// The identifier that the next host gives.
    static func nextID(of recipient: String) -> String {
        "NEXT-\(recipient.prefix { $0 != "@" })"
    }

    /// The sink's answers: nobody is refused, busy is put off, later the first time.
    static func answers() -> SMTPSink.Answer {
        let asked = Mutex<Set<String>>([])
        return { occasion in
            switch occasion {
            case .recipient("nobody@example.org"): return "550 5.1.1 no such user"
            case .recipient("busy@example.org"): return "450 4.2.1 busy"
            case .recipient("later@example.org"):
                return asked.withLock { $0.insert("later").inserted } ? "450 4.2.1 later" : nil
            case .recipient: return nil
            case .end(let message):
                let id = nextID(of: message.recipients.first ?? "nobody")
                return "250 2.0.0 Ok: queued as \(id)"
            }
        }
    }
}
