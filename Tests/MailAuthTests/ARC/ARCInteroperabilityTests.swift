import Foundation
import MailAuth
import MailSyntax
import Testing

/// ARC by dkimpy: Debian's python3-dkim, with python3-authres.
@Suite("ARC with dkimpy")
struct ARCInteroperabilityTests {
    @Test(
        "what arcsign seals is valid, until it is changed",
        .enabled(if: DKIMPy.canSeal, "python3-dkim or python3-authres is not installed"))
    func sealed() throws {
        let key = try #require(TestKeys.rsa)
        let keys = ["test._domainkey.sealer.test": key.record]
        for message in try TestMessage.samples()
        where message.testDescription != "spaces at the colon" {
            for hops in [1, 2, 3] {
                let text = try DKIMPy.seal(
                    Data(message.bytes), hops: hops, domain: "sealer.test", selector: "test",
                    key: key.fileForDKIMPy)
                let sealed = try TestMessage(Array(text), message.testDescription)
                let outcome = ARCSuiteTests.validate(sealed, keys, now: 4_000_000_000)
                #expect(outcome.reason == .valid, "\(message.testDescription), \(hops)")
                #expect(outcome.hops.count == hops && outcome.oldestPass == 0)
                #expect(
                    outcome.hops.first?.assessment?.results.contains { $0.method == "spf" } == true)
                var changed = sealed
                changed.body += Array("more\r\n".utf8)
                #expect(ARCSuiteTests.validate(changed, keys, now: 4_000_000_000).status == .fail)
            }
        }
    }

    @Test(
        "what the tests seal is valid to arcverify",
        .enabled(if: DKIMPy.canSeal, "python3-dkim or python3-authres is not installed"))
    func forged() throws {
        let key = try #require(TestKeys.rsa)
        let verdict = try DKIMPy.chainStatus(
            Data(try ARCChainTests.sealed(3).bytes), record: key.record)
        #expect(verdict == "pass")
    }
}

extension DKIMPy {
    private struct SealJob: Encodable {
        let message: Data
        let hops: Int
        let domain: String
        let selector: String
        let key: Data
    }

    private struct ChainJob: Encodable {
        let message: Data
        let record: String
    }

    /// Whether the modules are there.
    static let canSeal: Bool =
        (try? run("import authres, dkim; print('[]')", Data())) == Data("[]\n".utf8)

    /// A message sealed several times, each time after a Received field and results were added.
    static func seal(
        _ message: Data, hops: Int, domain: String, selector: String, key: Data
    ) throws -> Data {
        let script = """
            import base64, dkim, json, sys
            job = json.load(sys.stdin)
            message = base64.b64decode(job["message"])
            for hop in range(job["hops"]):
                arc = "none" if hop == 0 else "pass"
                message = message.replace(
                    b"\\r\\nAuthentication-Results: mx.test", b"\\r\\nX-Old: mx.test")
                message = ("Received: from hop%d.test\\r\\nAuthentication-Results: mx.test; arc=%s; "
                    "spf=pass smtp.mailfrom=a@example.org\\r\\n" % (hop, arc)).encode() + message
                fields = dkim.arc_sign(
                    message, job["selector"].encode(), job["domain"].encode(),
                    base64.b64decode(job["key"]), b"mx.test")
                message = b"".join(fields) + message
            print(json.dumps(base64.b64encode(message).decode()))
            """
        let job = SealJob(
            message: message, hops: hops, domain: domain, selector: selector, key: key)
        return try JSONDecoder().decode(
            Data.self, from: try run(script, try JSONEncoder().encode(job)))
    }

    /// The status that dkimpy finds for a chain.
    static func chainStatus(_ message: Data, record: String) throws -> String {
        let script = """
            import base64, dkim, json, sys
            job = json.load(sys.stdin)
            record = job["record"].encode()
            status, _, _ = dkim.arc_verify(
                base64.b64decode(job["message"]), dnsfunc=lambda name, timeout=5: record)
            print(json.dumps((status or b"none").decode()))
            """
        let job = ChainJob(message: message, record: record)
        return try JSONDecoder().decode(
            String.self, from: try run(script, try JSONEncoder().encode(job)))
    }
}
