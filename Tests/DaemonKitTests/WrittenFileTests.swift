import Configuration
import Glibc
import TestKit
import Testing

@testable import DaemonKit

/// What `-n` finds about a file that the daemon will write.
@Suite struct WrittenFileTests {
    private func findings(
        _ path: String, signature: String? = "MAGIC", unit: SystemdUnit? = nil
    ) -> [String] {
        let reader = ConfigurationReader(
            schema: ConfigurationSchema([DirectiveSpec("Store", .path, "Where")]),
            text: "Store \(path)\n", named: "c")
        WrittenFile(
            directive: "Store", path: path, signature: signature.map { Array($0.utf8) },
            kind: "a store"
        ).check(.error, unit: unit, reader)
        return reader.problems.map(\.description)
    }

    @Test func `a file that can be written, or made, is fine`() throws {
        let folder = try Folder(["store": "MAGIC and more", "empty": "", "text": "hello"])
        for name in ["store", "empty", "new"] { #expect(findings(folder.file(name)) == []) }
        #expect(findings(folder.file("text"), signature: nil) == [])
    }

    @Test func `what is wrong names the path, the cause and the remedy`() throws {
        let folder = try Folder(["text": "hello", "short": "MAG"])
        let text = findings(folder.file("text"))
        #expect(
            text == [
                "c:1:1: error: Store: \(folder.file("text")) is not a store; "
                    + "move it away, or name a file that does not exist yet"
            ])
        #expect(findings(folder.file("short")).count == 1)
        #expect(findings(folder.path)[0].contains("is not a file"))
        let missing = findings(folder.file("gone/store"))
        #expect(missing.count == 1 && missing[0].contains("No such file or directory"))
        #expect(missing[0].contains("install -d -o "))
        #expect(missing[0].hasSuffix(folder.file("gone")))
        // Nobody is to give a directory of the system's away.
        #expect(
            WrittenFile.remedy(for: EACCES, in: "/var/lib", as: "signet-dmarc")
                == "name a file in a directory that belongs to signet-dmarc")
    }

    @Test func `a unit with a read-only system reaches its own directories only`() throws {
        let folder = try Folder([
            "strict.service":
                "ProtectSystem=strict\nStateDirectory=signet-probe\n"
                + "ReadWritePaths=/srv/reports -/srv/other\n",
            "lax.service": "ProtectSystem=full\n",
        ])
        let strict = SystemdUnit(name: "strict.service", directories: [folder.path])
        for path in ["/var/lib/signet-probe", "/srv/reports/a", "/srv/other"] {
            #expect(WrittenFile.mayWrite(path, strict), "\(path)")
        }
        for path in ["/var/lib", "/var/lib/signet-probes", "/srv", "/home/x"] {
            #expect(!WrittenFile.mayWrite(path, strict), "\(path)")
        }
        let lax = SystemdUnit(name: "lax.service", directories: [folder.path])
        #expect(WrittenFile.mayWrite("/srv", lax))
        #expect(
            findings(folder.file("new"), unit: strict)[0].contains("ReadWritePaths=\(folder.path)"))
    }
}
