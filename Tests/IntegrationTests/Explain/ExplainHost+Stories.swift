import Foundation
import TestKit
import Testing

extension ExplainHost {
    /// Sends a message, by the way that it has.
    ///
    /// - Returns: the reply; nil where nobody replies.
    func play(_ story: PlayedStory) throws -> SMTPReply? {
        let message = try message(of: story)
        switch story.way {
        case .smtp: return try send(message, story, to: "smtp")
        case .dropped:
            let client = try connect(story)
            try begin(story, on: client)
            try client.require("DATA")
            // More than smtpd(8) keeps before it hands on what has come.
            try client.send(message + Self.lines(octets: 65_536))
            try postfix.waitForLogLine("message-id=<\(story.messageID)>")
            client.drop()
            return nil
        case .reset:
            let client = try connect(story)
            defer { try? client.quit() }
            try begin(story, on: client)
            return try client.command("RSET")
        case .huge:
            let client = try connect(story)
            defer { try? client.quit() }
            return try client.deliver(
                from: story.reversePath, to: [story.recipient],
                message + Self.lines(octets: Self.sizeLimit))
        case .filtered: return try send(message, story, to: "filtered")
        case .sendmail:
            try postfix.sendmail(["-f", story.reversePath, story.recipient], message)
            return nil
        case .dovecot:
            let client = try connectSubmission()
            try client.ehlo()
            try client.authenticate("sam@example.org", password: "secret")
            defer { try? client.quit() }
            return try client.deliver(from: story.reversePath, to: [story.recipient], message)
        }
    }

    /// So many octets of a body, or a little more.
    private static func lines(octets: Int) -> [UInt8] {
        let line = [UInt8](repeating: 0x78, count: 70) + [0x0D, 0x0A]
        return Array(repeatElement(line, count: octets / line.count + 1).joined())
    }

    /// A client at the story's address.
    private func connect(_ story: PlayedStory) throws -> SMTPClient {
        let client = try postfix.connect()
        try client.ehlo()
        try client.xclient(story.address, login: story.login)
        try client.ehlo(story.helo)
        return client
    }

    private func begin(_ story: PlayedStory, on client: SMTPClient) throws {
        try client.require("MAIL FROM:<\(story.reversePath)>")
        try client.require("RCPT TO:<\(story.recipient)>")
    }

    private func send(
        _ message: [UInt8], _ story: PlayedStory, to listener: String
    ) throws -> SMTPReply {
        let client = try postfix.connect(listener)
        try client.ehlo()
        let login = story.login.map { " LOGIN=\($0)" } ?? ""
        let greeting = try client.command(
            "XCLIENT ADDR=\(story.address) NAME=out.example\(login)")
        guard greeting.isPositive else { return greeting }
        let hello = try client.command("EHLO \(story.helo)")
        guard hello.isPositive else { return hello }
        defer { try? client.quit() }
        return try client.deliver(from: story.reversePath, to: [story.recipient], message)
    }

    /// The message, signed by its client as the story has it.
    private func message(of story: PlayedStory) throws -> [UInt8] {
        let plain = Self.message(story.name, from: story.author)
        guard let signature = story.signature else { return plain }
        let selector = signature == .changed ? "intact" : signature.rawValue
        let signed = try Command.run(
            try DaemonProcess.path(of: "signet"),
            [
                "sign", selector, theirs.domain,
                theirs.directory.file("\(theirs.selector).private"),
            ], input: plain)
        guard signed.succeeded else { throw TestKitError(signed.errors) }
        return Array(signed.output.utf8) + (signature == .changed ? Array("changed\r\n".utf8) : [])
    }

    /// Does what is done before or after a message.
    func perform(_ words: String, about story: PlayedStory) throws {
        let parts = words.split(separator: " ", maxSplits: 2).map(String.init)
        switch (parts.first, parts.count) {
        case ("release", 1):
            try postsuper("-H", story)
            try postfix.flush()
        case ("delete", 1): try postsuper("-d", story)
        case ("restart", 2):
            try stop(parts[1])
            try start(parts[1])
        case ("kill", 2): kill(parts[1])
        case ("start", 2): try start(parts[1])
        case ("cover", 2): try sign(for: parts[1])
        case ("set", 3): try reload(parts[1], with: parts[2])
        case ("reset", 2): try reload(parts[1], with: "")
        default: throw TestKitError("played-stories.txt: \(words)")
        }
    }

    private func postsuper(_ option: String, _ story: PlayedStory) throws {
        let id = try #require(queueIDs(of: story).first)
        try Command.require(
            "/usr/sbin/postsuper", ["-c", postfix.configurationDirectory, option, id])
    }

    /// The queue ids that a message has had, the first one first.
    func queueIDs(of story: PlayedStory) -> [String] {
        let mark = ": message-id=<\(story.messageID)>"
        return postfix.log.split(separator: "\n").filter { $0.hasSuffix(mark) }.compactMap { line in
            line.dropLast(mark.count).split(separator: " ").last.map(String.init)
        }
    }

    /// A name that a message has, and how `signet explain` is asked by it.
    struct Question {
        let kind: Kind
        let arguments: [String]
    }

    /// The kinds of names.
    enum Kind: CaseIterable {
        case queueID
        case messageID
        case nextID
        case addressAndTime
        case client
    }

    /// Every question that a story answers.
    func questions(about story: PlayedStory, at time: String) -> [Question] {
        let ids = queueIDs(of: story)
        var questions = ids.map { Question(kind: .queueID, arguments: [$0]) }
        if !ids.isEmpty {
            questions.append(Question(kind: .messageID, arguments: ["<\(story.messageID)>"]))
        }
        let next = SinkReplies.nextID(of: story.recipient)
        if postfix.log.contains("queued as \(next))") {
            questions.append(Question(kind: .nextID, arguments: [next]))
        }
        // What is refused before RCPT has no recipient yet.
        if postfix.log.contains("to=<\(story.recipient)>") {
            questions.append(
                Question(kind: .addressAndTime, arguments: [story.recipient, "--at", time]))
        }
        if ![.sendmail, .dovecot].contains(story.way) {
            questions.append(Question(kind: .client, arguments: [story.address]))
        }
        return questions
    }

    /// The sentence that answers a question, once it is what it will be.
    ///
    /// - Parameters:
    ///   - question: how to ask.
    ///   - patience: how long the story may take to end, in seconds.
    ///   - isExpected: whether this is the end.
    /// - Returns: the last sentence.
    /// - Throws: why the command could not be run.
    func sentence(
        _ question: Question, patience: Double, until isExpected: (String) -> Bool
    ) throws -> String {
        var last = ""
        _ = try? wait(for: "an answer", seconds: patience) {
            let result = try signet(["explain", "--json"] + question.arguments)
            let object = try? JSONSerialization.jsonObject(with: Data(result.output.utf8))
            last =
                (object as? [String: Any])?["answer"] as? String
                ?? "\(result.output)\(result.errors)"
            return isExpected(last) ? true : nil
        }
        return last
    }
}
