import MailCrypto
import MailDNS
import MailSyntax
import TestKit
import Testing

@testable import MailAuth

@Suite("ARC chains")
struct ARCChainTests {
    static func forge() throws -> ARCForge { ARCForge(key: try #require(TestKeys.rsa)) }

    static func message() throws -> TestMessage {
        try TestMessage(
            "From: a@author.test\nTo: list@list.test\nSubject: Hello\n\nHello.\n", "ordinary")
    }

    static func sealed(_ count: Int) throws -> TestMessage {
        var message = try message()
        for instance in 1...count { message = try forge().seal(message, instance) }
        return message
    }

    static func validate(
        _ message: TestMessage, options: ARCOptions = ARCOptions()
    ) throws -> ARCOutcome {
        let record = try #require(TestKeys.rsa).record
        return ARCSuiteTests.validate(
            message, ["arc._domainkey.sealer.test": record], options: options)
    }

    @Test("a chain", arguments: [1, 2, 3, 50])
    func chain(_ count: Int) throws {
        let outcome = try Self.validate(Self.sealed(count))
        #expect(outcome.reason == .valid)
        #expect(outcome.oldestPass == 0)
        #expect(outcome.hops.map(\.instance) == Array(1...count))
        let first = try #require(outcome.hops.first)
        #expect(first.domain?.ascii == "sealer.test" && first.selector?.ascii == "arc")
        #expect(first.chainStatus == ARCStatus.none)
        #expect(outcome.hops.dropFirst().allSatisfy { $0.chainStatus == .pass })
        let assessment = try #require(first.assessment)
        #expect(assessment.authservID == AuthservID("mx.sealer.test") && assessment.isWellFormed)
        #expect(assessment.results.map(\.method) == ["spf", "dmarc"])
        #expect(assessment.results.last?["header", "from"] == "author.test")
    }

    @Test("no chain")
    func none() throws {
        let outcome = try Self.validate(Self.message())
        #expect(outcome.status == .none && outcome.hops.isEmpty && outcome.oldestPass == nil)
    }

    @Test("Ed25519 seals as well")
    func ed25519() throws {
        let key = try #require(TestKeys.ed25519)
        let message = try ARCForge(key: key).seal(Self.message(), 1)
        let outcome = ARCSuiteTests.validate(
            message, ["arc._domainkey.sealer.test": key.record])
        #expect(outcome.reason == .valid)
    }

    /// Section 5.2, step 5: older message signatures may fail, and tell how old the message is.
    @Test("a message changed on the way")
    func oldestPass() throws {
        var message = try Self.sealed(2)
        message = try TestMessage(
            Self.replacing("Hello", "[List] Hello", message), "changed by a list")
        message = try Self.forge().seal(message, 3)
        message = try Self.forge().seal(message, 4)
        let outcome = try Self.validate(message)
        #expect(outcome.reason == .valid)
        #expect(outcome.oldestPass == 3)
        var options = ARCOptions()
        options.findsOldestPass = false
        let quick = try Self.validate(message, options: options)
        #expect(quick.status == .pass && quick.oldestPass == nil)
    }

    /// Section 4.1.2: the message signature has the syntax and semantics of DKIM-Signature, "l="
    /// included.
    @Test("older message signatures with l=", arguments: ["8", "0", "7", "9"])
    func olderWithLength(_ length: String) throws {
        var forge = try Self.forge()
        forge.signatureChanges = [("l", length)]
        var message = try forge.seal(Self.message(), 1)
        for instance in 2...3 { message = try Self.forge().seal(message, instance) }
        let outcome = try Self.validate(message)
        #expect(outcome.reason == .valid)
        // The whole body has 8 octets. A part of it says that something may have been added since.
        #expect(outcome.oldestPass == (length == "8" ? 0 : 2))
    }

    /// Section 3.9: `instance = [CFWS] %s"i" [CFWS] "=" [CFWS] position` and
    /// `seal-cv-tag = %s"cv" [CFWS] "=" [CFWS] chain-status`.
    @Test(
        "comments around i= and in cv=",
        arguments: [
            ("i", "(a) i (b; c=d) ", " (e (f)) 1 (\\( g)"), ("i", "i", "1(a)"),
            ("cv", "(a)\r\n\tcv", "(b)none\r\n (c)"),
        ])
    func comments(_ name: String, _ tag: String, _ value: String) throws {
        var forge = try Self.forge()
        forge.sealChanges = [(name, "absent"), (tag, value)]
        if name == "i" { forge.signatureChanges = forge.sealChanges }
        #expect(try Self.validate(forge.seal(Self.message(), 1)).reason == .valid)
    }

    @Test(
        "comments where there may be none",
        arguments: [
            ("i", "i", "(a"), ("i", "i", "1 (a) 2"), ("i", "(a i", "1"), ("i", "(a) x", "1"),
            ("d", "(a) d", "sealer.test"), ("cv", "cv", "(none)"), ("cv", "cv (a", "none"),
        ])
    func misplacedComments(_ name: String, _ tag: String, _ value: String) throws {
        var forge = try Self.forge()
        forge.sealChanges = [(name, "absent"), (tag, value)]
        #expect(try Self.validate(forge.seal(Self.message(), 1)).status == .fail)
    }

    @Test(
        "changes that nobody sealed",
        arguments: ["Hello.", "header.from", "cv=none", "i=2; a=", "d=sealer"])
    func tampered(_ text: String) throws {
        let message = try TestMessage(
            Self.replacing(
                text, text.replacing("e", with: "E").replacing("2", with: "3"), Self.sealed(2)), "")
        let outcome = try Self.validate(message)
        // Domains have no case, but signed text has.
        #expect(outcome.status == .fail)
        #expect(outcome.hops.allSatisfy { $0.assessment == nil })
    }

    @Test(
        "structure and status",
        arguments: [
            ("without a set", "i=2", "i=3"), ("twice the same set", "i=2", "i=1"),
            ("instance 0", "i=1", "i=0"),
            ("instance 51", "i=1", "i=51"), ("a word for an instance", "i=1", "i=one"),
            ("no instance", "i=1", "j=1"), ("three digits", "i=1", "i=001"),
        ])
    func structure(_ name: String, _ old: String, _ new: String) throws {
        let message = try TestMessage(Self.replacing(old, new, Self.sealed(2)), name)
        #expect(try Self.validate(message).status == .fail)
    }

    @Test(
        "what seals say of the chain",
        arguments: [
            ("pass", "pass", ARCReason.chainStatus(instance: 1)),
            ("none", "none", .chainStatus(instance: 2)),
            ("fail", "pass", .chainStatus(instance: 1)),
            ("none", "fail", .foundInvalid(instance: 2)),
            ("none", "maybe", .signature(.seal, instance: 2, .signatureField(.malformedTag("cv")))),
            ("none", "PASS", .valid),
        ])
    func status(_ first: String, _ second: String, _ reason: ARCReason) throws {
        let one = try Self.forge().seal(Self.message(), 1, cv: first)
        #expect(try Self.validate(Self.forge().seal(one, 2, cv: second)).reason == reason)
    }

    @Test(
        "tags of the fields",
        arguments: [
            ("h", "From", false, ARCReason.sealWithFieldList(instance: 1)),
            ("v", "1", false, .valid), ("bh", "x", false, .valid),
            (
                "a", "rsa-sha1", false,
                .signature(.seal, instance: 1, .signatureField(.historicAlgorithm))
            ),
            ("v", "2", true, .valid),
            ("h", "From:To:Subject:ARC-Seal", true, .signatureOfSeal(instance: 1)),
            (
                "h", "To:Subject", true,
                .signature(.messageSignature, instance: 1, .signatureField(.fromNotSigned))
            ),
            ("l", "3", true, .signature(.messageSignature, instance: 1, .unsignedBody(octets: 5))),
            (
                "x", "1700000001", true,
                .signature(.messageSignature, instance: 1, .expired(seconds: 99_999_999))
            ),
            (
                "t", "1900000000", true,
                .signature(.messageSignature, instance: 1, .fromTheFuture(seconds: 100_000_000))
            ),
            (
                "d", "absent", true,
                .signature(.messageSignature, instance: 1, .signatureField(.missingTag("d")))
            ),
        ])
    func tags(_ name: String, _ value: String, _ isOfMessage: Bool, _ reason: ARCReason) throws {
        var forge = try Self.forge()
        if isOfMessage {
            forge.signatureChanges = [(name, value)]
        } else {
            forge.sealChanges = [(name, value)]
        }
        #expect(try Self.validate(forge.seal(Self.message(), 1)).reason == reason)
    }

    /// Section 5.2.1: "All errors, including DNS failures, become unrecoverable".
    @Test("without keys")
    func keys() throws {
        let message = try Self.sealed(1)
        for answer in [DNSAnswer.failure(.timeout), .nameError(.insecure), .noData(.secure), nil] {
            var validator = ARCValidator(header: message.header, now: 1_800_000_000)
            #expect(validator.questions.count == 1)
            if let question = validator.questions.first, let answer {
                validator.answer(question, answer)
            }
            validator.update(message.body.span)
            #expect(validator.finish(keys: testCache).status == .fail)
        }
    }

    /// Section 9.2: questions are asked in the order of use, and only while they can matter.
    @Test("the keys of a chain that does not hold are not asked for")
    func lazyQuestions() throws {
        var message = try Self.message()
        for instance in 1...10 {
            var forge = try Self.forge()
            forge.domain = "d\(instance).test"
            message = try forge.seal(message, instance)
        }
        let key = try #require(TestKeys.rsa).record
        let answer = DNSAnswer.records([.text([Array(key.utf8)])], .insecure)
        func names(_ questions: [DNSQuestion]) -> [String] { questions.map(\.name.ascii) }

        // The newest signature has no key: nothing else is asked.
        var validator = ARCValidator(header: message.header, now: 1_800_000_000)
        #expect(names(validator.questions) == ["arc._domainkey.d10.test"])
        validator.update(message.body.span)
        #expect(validator.advance(keys: testCache).isEmpty)
        #expect(validator.questions.count == 1)

        // It is valid: the seals come next, newest first, then the older signatures.
        validator = ARCValidator(header: message.header, now: 1_800_000_000)
        validator.answer(validator.questions[0], answer)
        validator.update(message.body.span)
        let next = validator.advance(keys: testCache)
        #expect(names(next) == (1...9).reversed().map { "arc._domainkey.d\($0).test" })
        for question in next { validator.answer(question, answer) }
        // These have the same keys.
        #expect(validator.advance(keys: testCache).isEmpty)
        let outcome = validator.finish(keys: testCache)
        #expect(outcome.reason == .valid && outcome.oldestPass == 0)
    }

    @Test("only sealers in a row count")
    func trust() throws {
        var message = try Self.message()
        for (index, domain) in ["one.test", "two.test", "three.test"].enumerated() {
            var forge = try Self.forge()
            forge.domain = domain
            if index == 0 { forge.results += "; arc=none smtp.remote-ip=2001:DB8::1A" }
            message = try forge.seal(message, index + 1)
        }
        let record = try #require(TestKeys.rsa).record
        let names = ["one", "two", "three"].map { ("arc._domainkey.\($0).test", record) }
        let outcome = ARCSuiteTests.validate(message, Dictionary(uniqueKeysWithValues: names))
        #expect(outcome.reason == .valid)
        func trusted(_ domains: String...) -> [Int] {
            outcome.trustedHops { domains.contains($0.ascii) }.map(\.instance)
        }
        #expect(trusted("one.test", "two.test", "three.test") == [3, 2, 1])
        #expect(trusted("one.test", "three.test") == [3])
        #expect(trusted("one.test", "two.test") == [])
        #expect(
            outcome.reportComment
                == "arc=pass as[3].d=three.test as[3].s=arc as[2].d=two.test as[2].s=arc "
                + "as[1].d=one.test as[1].s=arc remote-ip[1]=2001:db8::1a")
    }

    private static func replacing(_ old: String, _ new: String, _ message: TestMessage) -> String {
        String(decoding: message.bytes, as: UTF8.self).replacing(old, with: new)
    }
}

@Suite("ARC against hostile input")
struct ARCHostileTests {
    @Test("more than fifty sets")
    func tooMany() throws {
        var message = try ARCChainTests.sealed(2)
        let field = "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=a.test; s=b; b=AAAA\n"
        message = try TestMessage(String(repeating: field, count: 5000) + "\n", "seals")
        #expect(try ARCChainTests.validate(message).reason == .tooManySets(limit: 50))
        var options = ARCOptions()
        options.maximumSets = 1
        let two = try ARCChainTests.validate(ARCChainTests.sealed(2), options: options)
        #expect(two.reason == .tooManySets(limit: 1))
    }

    @Test("NUL in a field")
    func nul() throws {
        let bytes = try ARCChainTests.sealed(1).bytes.map { $0 == UInt8(ascii: "s") ? 0 : $0 }
        let outcome = try ARCChainTests.validate(TestMessage(bytes, "NUL"))
        #expect(outcome.status == .fail)
    }

    @Test("a header section cut at a limit")
    func limit() throws {
        let sealed = try ARCChainTests.sealed(1)
        var header = HeaderSection(limits: .init(fields: 4))
        for position in sealed.header.fields.indices {
            header.append(
                name: Array(sealed.header.name(of: position)),
                value: Array(sealed.header.value(of: position)))
        }
        let validator = ARCValidator(header: header, now: 1_800_000_000)
        #expect(validator.finish(keys: testCache).reason == .headerTooLarge)
    }

    @Test("any octet of the sealed text changed")
    func anyOctet() throws {
        let message = try ARCChainTests.sealed(2)
        let bytes = message.bytes
        // All but the newest seal, whose base64 has bits at its end that mean nothing.
        let start = message.header.fields[1].whole.lowerBound
        var random = SeededGenerator(seed: 1001)
        for _ in 0..<60 {
            let position = Int.random(in: start..<bytes.count, using: &random)
            guard bytes[position].isASCIIAlphanumeric else { continue }
            var changed = bytes
            changed[position] =
                changed[position] == UInt8(ascii: "Q") ? UInt8(ascii: "W") : UInt8(ascii: "Q")
            let text = String(decoding: changed, as: UTF8.self)
            let outcome = try ARCChainTests.validate(TestMessage(text, "octet \(position)"))
            // Names of fields have no case; other changes of the newest hop's message are seen.
            let same = text.lowercased() == String(decoding: bytes, as: UTF8.self).lowercased()
            if !same { #expect(outcome.status != .pass, "octet \(position) of \(text)") }
        }
    }

    @Test("noise for fields")
    func noise() throws {
        var random = SeededGenerator(seed: 1002)
        let words = [
            "i=1", "i=2", ";", "=", "cv=none", "b=", "(", ")", "\"", "d=a.test", "s=b", " ",
            "\u{0}", "AAAA", "a=rsa-sha256", "h=from", "bh=",
        ]
        for _ in 0..<500 {
            let text =
                ARCField.allCases.map { field in
                    "\(field.rawValue):"
                        + (0..<8).map { _ in words.randomElement(using: &random) ?? "" }.joined()
                }.joined(separator: "\n") + "\n\nbody\n"
            #expect(try ARCChainTests.validate(TestMessage(text, "noise")).status == .fail)
        }
    }
}
