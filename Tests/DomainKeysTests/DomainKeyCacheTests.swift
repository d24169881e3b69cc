import MailCrypto
import MailSyntax
import TestKit
import Testing
import Threads

@testable import DomainKeys

@Suite struct DomainKeyCacheTests {
    private let directory: TemporaryDirectory
    private let reads = Locked(0)
    private let key: PrivateKey

    init() throws {
        directory = try TemporaryDirectory("signet-domainkeys")
        key = try PrivateKey.generateEd25519()
    }

    private func cache() -> DomainKeyCache {
        let (key, reads) = (key, reads)
        return DomainKeyCache(KeyTree(directory.path + "/")) { _ in
            reads.withLock { $0 += 1 }
            return .key(key, warnings: ["old"])
        }
    }

    private func selectors(_ outcome: DomainKeyCache.Outcome) -> [String]? {
        guard case .keys(let keys, _) = outcome else { return nil }
        return keys.map(\.selector.ascii)
    }

    @Test func `what has not changed is read once, and warned of once`() throws {
        try directory.makeDirectory("example.org")
        try directory.write("k", to: "example.org/mail.private")
        let cache = cache()
        let domain = try DomainName("example.org")
        guard case .keys(_, let warnings) = cache.keys(for: domain) else {
            Issue.record("no keys")
            return
        }
        #expect(warnings == ["old"])
        for _ in 0..<10 {
            guard case .keys(_, warnings: []) = cache.keys(for: domain) else {
                Issue.record("not from the cache")
                return
            }
        }
        #expect(reads.withLock { $0 } == 1)
        try directory.write("k2", to: "example.org/next.private")
        #expect(selectors(cache.keys(for: domain)) == ["mail", "next"])
        #expect(reads.withLock { $0 } == 3)
    }

    @Test func `a cache that is full forgets the domains that sign least`() throws {
        let cache = cache()
        let busy = try DomainName("busy.example")
        let count = DomainKeyCache.generationLimit + 10
        for name in ["busy.example"] + (0..<count).map({ "d\($0).example" }) {
            try directory.makeDirectory(name)
            try directory.write("k", to: "\(name)/mail.private")
        }
        for number in 0..<count {
            _ = cache.keys(for: try DomainName("d\(number).example"))
            if number % 1000 == 0 { _ = cache.keys(for: busy) }
        }
        let before = reads.withLock { $0 }
        #expect(selectors(cache.keys(for: busy)) == ["mail"])
        #expect(reads.withLock { $0 } == before)
        #expect(before == count + 1)
    }
}
