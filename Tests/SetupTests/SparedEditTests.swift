import TestKit
import Testing

@testable import Setup

/// An undo that spares edits is made as a whole, wherever it ends, and loses none of them.
@Suite struct SparedEditTests {
    private struct Killed: Error {}

    /// A tree with one file changed and one made by a transaction, both edited since.
    private struct Case {
        let directory: TemporaryDirectory
        let tree: FileTree

        init() throws {
            directory = try TemporaryDirectory("signet-spared")
            try directory.makeDirectory("etc/signet")
            try directory.write("a\nb\n", to: "etc/one", mode: 0o640)
            tree = FileTree(root: directory.path)
            let one = try #require(try tree.file("/etc/one"))
            var changed = one
            changed.contents = Array("a\nB\n".utf8)
            try Transactions(in: tree).apply(
                [
                    FileChange(
                        path: "/etc/signet/new.conf", before: nil,
                        after: FileState(Array("made\n".utf8), mode: 0o644)),
                    FileChange(path: "/etc/one", before: one, after: changed),
                ], directories: [])
            try directory.write("x\na\nB\n", to: "etc/one", mode: 0o640)
            try directory.write("made\nmended\n", to: "etc/signet/new.conf")
        }

        func text(_ path: String) throws -> String? { try tree.file(path)?.text }
    }

    @Test func `an undo that ends at any step is completed, and keeps both edits`() throws {
        let copy = "/var/lib/signet/setup/000001/0.edited"
        var ended = 0
        for step in 0..<40 {
            let host = try Case()
            var count = 0
            do {
                let killed = Transactions(in: host.tree) { _ in
                    defer { count += 1 }
                    if count == step { throw Killed() }
                }
                _ = try killed.undo(sparingEdits: true)
                break
            } catch is Killed { ended += 1 }
            let next = Transactions(in: host.tree)
            #expect(
                try next.undo(sparingEdits: true) == .done(["/etc/signet/new.conf", "/etc/one"]),
                "step \(step)")
            #expect(try host.text("/etc/one") == "x\na\nb\n", "step \(step)")
            #expect(try host.text("/etc/signet/new.conf") == nil, "step \(step)")
            #expect(try host.text(copy) == "made\nmended\n", "step \(step)")
            #expect(
                try next.sparedEdits() == [
                    SparedEdit(path: "/etc/signet/new.conf", fate: .aside(copy)),
                    SparedEdit(path: "/etc/one", fate: .stays),
                ])
        }
        #expect(ended >= 6)
    }

    /// What a run that was killed has noted for an edit that is gone is not put back by another.
    @Test func `an edit that was taken back leaves nothing behind`() throws {
        let host = try Case()
        let killed = Transactions(in: host.tree) { step in
            if step == "mark undoing" { throw Killed() }
        }
        #expect(throws: Killed.self) { try killed.undo(sparingEdits: true) }
        try host.directory.write("a\nB\n", to: "etc/one", mode: 0o640)
        try host.directory.write("made\n", to: "etc/signet/new.conf")
        let next = Transactions(in: host.tree)
        #expect(try next.undo() == .done(["/etc/signet/new.conf", "/etc/one"]))
        #expect(try host.text("/etc/one") == "a\nb\n")
        #expect(try next.sparedEdits().isEmpty)
    }
}
