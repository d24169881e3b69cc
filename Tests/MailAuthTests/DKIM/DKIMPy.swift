import Foundation
import TestKit
import Testing

/// dkimpy as a second opinion: one child process for a batch of messages.
enum DKIMPy {
    /// A message to verify, with the key record to answer for any name.
    struct VerifyJob: Encodable {
        let message: Data
        let record: String
    }

    /// A message to sign.
    struct SignJob: Encodable {
        let message: Data
        let domain: String
        let selector: String
        let key: Data
        let header: String
        let body: String
        let algorithm: String
    }

    /// Whether the module is there: it comes with Debian's python3-dkim.
    static let isPresent: Bool = (try? run("import dkim; print('[]')", Data())) == Data("[]\n".utf8)

    /// Whether dkimpy finds each message's first signature valid.
    static func verify(_ jobs: [VerifyJob]) throws -> [Bool] {
        let script = """
            import base64, dkim, json, sys
            answers = []
            for job in json.load(sys.stdin):
                record = job["record"].encode()
                try:
                    answers.append(dkim.verify(
                        base64.b64decode(job["message"]), dnsfunc=lambda name, timeout=5: record))
                except dkim.DKIMException:
                    answers.append(False)
            print(json.dumps(answers))
            """
        let answer = try run(script, try JSONEncoder().encode(jobs))
        return try JSONDecoder().decode([Bool].self, from: answer)
    }

    /// The DKIM-Signature field that dkimpy makes for each message.
    static func sign(_ jobs: [SignJob]) throws -> [Data] {
        let script = """
            import base64, dkim, json, sys
            answers = []
            for job in json.load(sys.stdin):
                answers.append(base64.b64encode(dkim.sign(
                    base64.b64decode(job["message"]), job["selector"].encode(),
                    job["domain"].encode(), base64.b64decode(job["key"]),
                    canonicalize=(job["header"].encode(), job["body"].encode()),
                    signature_algorithm=job["algorithm"].encode())).decode())
            print(json.dumps(answers))
            """
        let answer = try run(script, try JSONEncoder().encode(jobs))
        return try JSONDecoder().decode([Data].self, from: answer)
    }

    static func run(_ script: String, _ input: Data) throws -> Data {
        Data(try Command.run("python3", ["-c", script], input: Array(input)).octets)
    }
}
