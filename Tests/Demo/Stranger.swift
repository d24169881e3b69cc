internal import TestKit

/// Somebody at 203.0.113.66, mail.evil.example, who writes to Bob in Ann's name.
struct Stranger {
    /// Where he tries it.
    let receiver: PostfixInstance

    /// What he sends: it says itself that it is genuine.
    static let forgery = """
        Authentication-Results: mx.example.net; dmarc=pass header.from=example.org\r
        From: Ann <ann@example.org>\r
        To: Bob <bob@example.net>\r
        Subject: Send money\r
        Date: Sat, 21 Nov 2026 12:30:00 +0000\r
        Message-ID: <money@evil.example>\r
        \r
        Quickly, please. Ann\r

        """

    /// Sends the forgery with an envelope sender, and returns the answer.
    func send(from sender: String) throws -> SMTPReply {
        let client = try receiver.connect()
        // Without its milter Postfix 3.7 answers 451 to commands; Postfix 3.10, whose milter_default_action is shutdown,
        // greets with 421.
        guard client.greeting.isPositive else { return client.greeting }
        for command in [
            "EHLO mail.evil.example", "XCLIENT ADDR=203.0.113.66 NAME=mail.evil.example",
            "EHLO mail.evil.example",
        ] {
            let answer = try client.command(command)
            guard answer.isPositive else { return answer }
        }
        let reply = try client.deliver(
            from: sender, to: ["bob@example.net"], Array(Self.forgery.utf8))
        try client.quit()
        return reply
    }
}
