import Foundation
import MailAuth
import MailCrypto
import MailSyntax
import Testing

@Suite struct Signing {
    static let text = """
        Received: from a by b
        Return-Path: <ann@example.org>
        From: ann@example.org
        To: bob@example.net
        To: carol@example.net
        Subject: Hello
        Content-Type: text/plain
        content-language: en
        X-Other: not signed
        Authentication-Results: mx.example.org; none

        Hello.

        """

    /// The tags of a signature, unfolded.
    static func tags(
        _ recipe: SigningRecipe, identity: String? = nil, key: PrivateKey? = TestKeys.rsa,
        time: Int64 = 1_700_000_000
    ) throws -> [String: String] {
        let message = try TestMessage(text, "")
        let key = try #require(key)
        var signer = DKIMSigner(
            header: message.header,
            keys: [
                SigningKey(
                    domain: try DomainName("example.org"), selector: try DomainName("s.elector"),
                    identity: identity, key: key)
            ], recipe: recipe, time: time)
        signer.update(message.body.span)
        let field = try #require(try signer.finish().first)
        let value = String(decoding: field.value.filter { $0 != 10 && $0 != 9 }, as: UTF8.self)
        var tags: [String: String] = [:]
        for tag in value.split(separator: ";") {
            let equals = try #require(tag.firstIndex(of: "="))
            let name = tag[..<equals].filter { $0 != " " }
            tags[name] = String(tag[tag.index(after: equals)...])
        }
        return tags
    }

    @Test func whatASignatureSays() throws {
        let tags = try Self.tags(SigningRecipe())
        #expect(tags["v"] == "1")
        #expect(tags["a"] == "rsa-sha256")
        #expect(tags["c"] == "relaxed/simple")
        #expect(tags["d"] == "example.org")
        #expect(tags["s"] == "s.elector")
        #expect(tags["t"] == "1700000000")
        #expect(tags["q"] == "dns/txt")
        // Every field that occurs once is named once more than it is there (RFC 6376, section 8.15).
        #expect(
            tags["h"]
                == "From:From:Reply-To:Sender:Subject:Subject:Date:Message-ID:To:To:To:Cc:MIME-Version:"
                + "In-Reply-To:References:List-Unsubscribe:List-Unsubscribe-Post:Content-Type:Content-Type:"
                + "Content-Transfer-Encoding:Content-Disposition:Content-ID:Content-Description:"
                + "Author:Face:X-Face:BIMI-Selector:Autocrypt:content-language")
        #expect(Set(tags.keys) == ["v", "a", "c", "d", "s", "t", "q", "h", "bh", "b"])
        #expect(try Self.tags(SigningRecipe(), key: TestKeys.ed25519)["a"] == "ed25519-sha256")
    }

    @Test func theRecipeDecides() throws {
        var recipe = SigningRecipe()
        recipe.lifetime = 3600
        recipe.copiesFields = true
        recipe.signedFields = ["Subject", "X-*", "Received", "Return-Path", "DKIM-Signature"]
        recipe.oversignedFields = ["Date", "Subject"]
        recipe.omittedFields = ["From", "Content-Type"]
        let tags = try Self.tags(recipe, identity: "a;b=c d@example.org")
        #expect(tags["h"] == "From:Subject:Subject:Date:X-Other")
        #expect(tags["x"] == "1700003600")
        #expect(tags["i"] == "a=3Bb=3Dc=20d@example.org")
        #expect(
            tags["z"] == "From:=20ann@example.org|Subject:=20Hello|X-Other:=20not=20signed")
    }

    @Test(arguments: TestKeys.all)
    func linesAreShort(key: PrivateKey) throws {
        var recipe = SigningRecipe()
        recipe.copiesFields = true
        for message in try TestMessage.samples() {
            let field = try #require(try sign(message, [key], recipe).first)
            let lines = String(decoding: field.value, as: UTF8.self).split(separator: "\n")
            for (index, line) in lines.enumerated() {
                // A copied field is one word, and may be longer than a line.
                let isCopy = line.contains("z=") || line.contains("|") || line.contains("=20")
                let columns = line.utf8.count + (index == 0 ? 15 : 7)
                #expect(columns <= 78 || isCopy, "\(line)")
                #expect(columns <= 998)
                #expect(line.hasPrefix(index == 0 ? " v=1;" : "\t"))
            }
            #expect(verify(try message.adding(field), record: key.record).status == .pass)
        }
    }

    @Test func severalKeysSignAtOnce() throws {
        let keys = TestKeys.all
        let message = try TestMessage(Self.text, "")
        let fields = try sign(message, keys, SigningRecipe())
        #expect(fields.map(\.algorithm) == [.rsaSHA256, .ed25519SHA256])
        for (field, key) in zip(fields, keys) {
            #expect(verify(try message.adding(field), record: key.record).status == .pass)
        }
    }

    @Test func aFieldThousandsOfTimes() throws {
        var message = try TestMessage("From: ann@example.org\n\nHi\n", "")
        for index in 0..<5000 { message.header.append(name: "To", value: " b\(index)@example.net") }
        let key = try #require(TestKeys.ed25519)
        let field = try #require(try sign(message, [key], SigningRecipe()).first)
        #expect(field.value.count < 5000)
        let signed = try message.adding(field)
        let zone = ["test._domainkey.example.org": [Array(key.record.utf8)]]
        var options = DKIMVerifierOptions()
        options.singletonFields = []
        #expect(verify(signed, zone, options: options).status == .pass)
        // Most of the fields are not signed.
        #expect(verify(signed, zone).results.map(\.reason) == [.unsignedDuplicate("To")])
    }
}

@Suite struct KeyCache {
    @Test func remembersAndStaysSmall() throws {
        let cache = ParsedKeyCache(capacity: 16)
        let key = try #require(TestKeys.rsa)
        let record = Array(key.record.utf8)
        let first = try cache.record(for: record).get()
        for index in 0..<100 {
            _ = cache.record(for: Array("v=DKIM1; p=\(index)".utf8))
            // What is asked for again and again outlives what is not.
            #expect(try cache.record(for: record).get().key === first.key)
            #expect(cache.count <= 16)
        }
        #expect(try ParsedKeyCache(capacity: 0).record(for: record).get().key == first.key)
    }
}
