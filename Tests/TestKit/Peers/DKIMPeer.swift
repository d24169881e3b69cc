/// What someone else's program says about one DKIM signature.
public struct DKIMPeerVerdict: Sendable, Hashable {
    /// The result word of RFC 8601, section 2.7.1.
    public let result: String
    /// The signing domain, `d=`.
    public let domain: String
    /// The selector, `s=`.
    public let selector: String
    /// The algorithm, `a=`.
    public let algorithm: String

    /// Makes a verdict, to compare one with.
    public init(result: String = "pass", domain: String, selector: String, algorithm: String) {
        self.result = result
        self.domain = domain
        self.selector = selector
        self.algorithm = algorithm
    }
}

/// Another DKIM implementation, from Debian, that verifies a message offline.
public enum DKIMPeer: String, Sendable, CaseIterable, CustomStringConvertible {
    /// OpenDKIM's milter in verifying mode.
    case opendkim = "OpenDKIM"
    /// The library dkimpy.
    case dkimpy

    /// The name that people know it by.
    public var description: String { rawValue }

    /// Verifies each signature of `message`, in the order in which the peer names them.
    ///
    /// `records` are the TXT records that exist, by their full names, such as
    /// `selector._domainkey.example.org`; every other name has none.
    public func verify(
        _ message: [UInt8], records: [String: String]
    ) throws -> [DKIMPeerVerdict] {
        switch self {
        case .opendkim: try verifyWithOpenDKIM(message, records)
        case .dkimpy: try verifyWithDKIMPy(message, records)
        }
    }

    private func verifyWithOpenDKIM(
        _ message: [UInt8], _ records: [String: String]
    ) throws -> [DKIMPeerVerdict] {
        let directory = try TemporaryDirectory("signet-peer")
        let table = records.map { "\($0.key) \($0.value)\n" }.joined()
        let tablePath = try directory.write(table, to: "records")
        let socket = directory.file("socket")
        let configuration = try directory.write(
            """
            Mode v
            Syslog no
            AuthservID peer.invalid
            InternalHosts csl:192.0.2.255
            MaximumSignaturesToVerify 16
            TestDNSData file:\(tablePath)
            Socket local:\(socket)

            """, to: "opendkim.conf")
        // As a milter: its test mode (-t) alters white space, which breaks simple canonicalization.
        let milter = try ChildProcess("/usr/sbin/opendkim", ["-f", "-x", configuration])
        defer { milter.kill() }
        let ready = try wait(for: "OpenDKIM to listen") {
            try? LoopbackSocket.connect(path: socket)
        }
        ready.shut()
        let text = String(decoding: message, as: UTF8.self).replacing("\r\n", with: "\n")
        let outcome = try FakeMTA(.unix(socket)).deliver(MailMessage(text))
        let fields = outcome.message.values("Authentication-Results")
        guard let field = fields.first(where: { $0.contains("peer.invalid;") }) else { return [] }
        return field.split(separator: ";").compactMap { clause in
            let words = clause.split(whereSeparator: \.isWhitespace)
            guard let result = words.first, result.hasPrefix("dkim=") else { return nil }
            func value(_ name: String) -> String {
                let word = words.first { $0.hasPrefix("header.\(name)=") } ?? ""
                return String(word.dropFirst("header.\(name)=".count))
            }
            return DKIMPeerVerdict(
                result: String(result.dropFirst("dkim=".count)), domain: value("d"),
                selector: value("s"), algorithm: value("a"))
        }
    }

    private func verifyWithDKIMPy(
        _ message: [UInt8], _ records: [String: String]
    ) throws -> [DKIMPeerVerdict] {
        let script = """
            import dkim, sys
            records = dict(line.split(" ", 1) for line in sys.argv[1].splitlines())
            def txt(name, timeout=5):
                return records.get(name.decode().rstrip(".").lower(), "").encode() or None
            message = sys.stdin.buffer.read()
            count = sum(name.lower() == b"dkim-signature" for name, _ in dkim.rfc822_parse(message)[0])
            for index in range(count):
                verifier = dkim.DKIM(message)
                try:
                    result = "pass" if verifier.verify(index, txt) else "fail"
                except dkim.DKIMException as problem:
                    result = "error:" + type(problem).__name__
                fields = [verifier.domain, verifier.selector, verifier.signature_fields.get(b"a")]
                print(result, *((field or b"?").decode() for field in fields))
            """
        let table = records.map { "\($0.key) \($0.value)" }.joined(separator: "\n")
        let output = try Command.require("python3", ["-c", script, table], input: message)
        return output.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 4 else { return nil }
            return DKIMPeerVerdict(
                result: words[0], domain: words[1], selector: words[2], algorithm: words[3])
        }
    }
}
