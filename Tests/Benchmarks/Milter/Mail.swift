internal import MailAuth
internal import MailCrypto
internal import MailSyntax
internal import TestKit

/// The messages that are sent: an ordinary one of 2 kB with some twenty header fields.
enum Mail {
    /// The header section and body of an ordinary message.
    static let ordinary: MailMessage = {
        var message = MailMessage(
            """
            Received: from [198.51.100.7] (dyn-7.example.net [198.51.100.7])
            \t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
            \tby mail.example.org (Postfix) with ESMTPSA id 4XyZ7k2Wbqz4wcq
            \tfor <bob@example.com>; Sat, 21 Nov 2026 08:00:01 +0000 (UTC)
            Date: Sat, 21 Nov 2026 09:00:00 +0100
            From: Ann Example <ann@example.org>
            To: Bob Example <bob@example.com>, "Example, Carol" <carol@example.com>
            Cc: list@lists.example.com
            Subject: Minutes of the meeting on Thursday, and what we agreed
            Message-ID: <5f2c9a1e-7d34-4c58-b7a6-0e9c1f2d3b4a@example.org>
            In-Reply-To: <CAJx9Kq3v0example@mail.example.com>
            References: <20261119101112.1234@example.com>
             <CAJx9Kq3v0example@mail.example.com>
            Reply-To: Ann Example <ann@example.org>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=UTF-8; format=flowed
            Content-Transfer-Encoding: 7bit
            Content-Language: en-GB
            User-Agent: Example Mail 128.4.0
            Organization: The Example Foundation
            X-Priority: 3 (Normal)
            X-Mailer-Build: 20261101
            Autocrypt: addr=ann@example.org; keydata=mDMEZexampleexampleexampleexample
            List-Unsubscribe: <https://example.org/unsubscribe?id=12345>

            """)
        message.body = body(ofSize: 700)
        return message
    }()

    /// The ordinary message with 10 MB of body.
    static let large: MailMessage = {
        var message = ordinary
        message.body = body(ofSize: 10 << 20)
        return message
    }()

    /// Lines of text, about so many octets.
    static func body(ofSize size: Int) -> [UInt8] {
        let line = Array("The quick brown fox jumps over the lazy dog, twice  a day.\r\n".utf8)
        return Array(repeatElement(line, count: max(1, size / line.count)).joined())
    }

    /// A message with a signature of ours.
    static func signed(_ message: MailMessage, with key: SigningKey) throws -> MailMessage {
        var header = HeaderSection()
        for field in message.fields {
            header.append(name: Array(field.name.utf8), value: field.value)
        }
        var signer = DKIMSigner(
            header: header, keys: [key], recipe: SigningRecipe(), time: 1_795_248_000)
        signer.update(message.body.span)
        var message = message
        for field in try signer.finish() {
            let value = String(decoding: field.value, as: UTF8.self)
            message.fields.insert(.init(SignedField.name.text, value), at: 0)
        }
        return message
    }
}
