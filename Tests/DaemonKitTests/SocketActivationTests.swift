import Configuration
import Testing

@testable import DaemonKit

@Suite struct SocketActivationTests {
    @Test func `systemd's variables count for this process only`() throws {
        let taken = SocketActivation(process: "7", count: "2", names: "a:b", self: 7)
        #expect(taken.passed.map(\.descriptor) == [3, 4])
        #expect(try taken.socket(named: "b") == 4)
        #expect(throws: Failure.self) { try taken.socket(named: "c") }
        #expect(
            try SocketActivation(process: "7", count: "1", names: nil, self: 7).socket(named: "c")
                == 3)
        for (process, count) in [("8", "1"), ("7", "0"), ("7", "-1"), ("7", "x"), ("7", "100000")] {
            #expect(
                SocketActivation(process: process, count: count, names: nil, self: 7).passed.isEmpty
            )
        }
        #expect(SocketActivation(process: nil, count: "1", names: nil, self: 7).passed.isEmpty)
    }

    @Test func `schemas have defaults that parse and names that differ`() {
        let description = DaemonDescription(
            shortName: "x", version: "1", summary: "",
            directives: [
                DirectiveSpec("UMask", .mask, default: "002", "restated")
            ])
        let reader = ConfigurationReader(schema: description.schema, text: "")
        #expect(reader.mask("umask") == 0o002)
        _ = ServiceSettings(reader)
        #expect(reader.problems.isEmpty)
        let names = description.schema.directives.map { $0.name.lowercased() }
        #expect(Set(names).count == names.count)
    }
}
