import TestKit
import Testing

@testable import Setup

/// A transaction is made or undone as a whole, wherever it ends.
@Suite struct TransactionTests {
    private struct Killed: Error {}

    /// A tree with two files, and changes of both, with a third one new in a new directory.
    private struct Case {
        let directory: TemporaryDirectory
        let tree: FileTree
        let changes: [FileChange]
        let directories = [
            NeededDirectory(path: "/etc/new", mode: 0o750),
            NeededDirectory(path: "/etc/new/deep", mode: 0o700),
        ]

        init() throws {
            directory = try TemporaryDirectory("signet-transaction")
            try directory.makeDirectory("etc")
            try directory.write("one\n", to: "etc/one", mode: 0o640)
            try directory.write("two\n", to: "etc/two")
            tree = FileTree(root: directory.path)
            let one = try #require(try tree.file("/etc/one"))
            let two = try #require(try tree.file("/etc/two"))
            changes = [
                FileChange(
                    path: "/etc/new/deep/key", before: nil,
                    after: FileState(Array("secret\n".utf8), mode: 0o600)),
                FileChange(path: "/etc/one", before: one, after: FileState([49], mode: 0o600)),
                FileChange(path: "/etc/two", before: two, after: FileState([50], mode: 0o644)),
            ]
        }

        var isAsBefore: Bool {
            get throws {
                try tree.file("/etc/one") == changes[1].before
                    && tree.file("/etc/two") == changes[2].before && !tree.exists("/etc/new")
            }
        }

        var isAsAfter: Bool {
            get throws {
                try changes.allSatisfy { try tree.file($0.path) == $0.after }
            }
        }

        /// No half-written file is left anywhere.
        var isClean: Bool {
            let names = ["/etc", "/etc/new", "/etc/new/deep"].flatMap(tree.names)
            return !names.contains { $0.hasSuffix(FileTree.temporarySuffix) }
        }

        /// Transactions that end at a step, as if the process were killed there.
        func endingAt(_ step: Int) -> Transactions {
            var count = 0
            return Transactions(in: tree) { _ in
                defer { count += 1 }
                if count == step { throw Killed() }
            }
        }
    }

    @Test func `changes are made with mode, and undone to the octet`() throws {
        let host = try Case()
        let transactions = Transactions(in: host.tree)
        try transactions.apply(host.changes, directories: host.directories)
        #expect(try host.isAsAfter && host.isClean)
        #expect(host.tree.exists("/var/lib/signet/setup/000001/applied"))
        #expect(try transactions.undo(dryRun: true) == .done(host.changes.map(\.path)))
        #expect(try host.isAsAfter)
        #expect(try transactions.undo() == .done(host.changes.map(\.path)))
        #expect(try host.isAsBefore && host.isClean)
        #expect(try transactions.undo() == .nothing)
    }

    @Test func `what ends at any step is completed by the next run, or was never begun`() throws {
        var ended = 0
        for step in 0..<40 {
            let host = try Case()
            let transactions = host.endingAt(step)
            do {
                try transactions.apply(host.changes, directories: host.directories)
                #expect(try host.isAsAfter)
                break
            } catch is Killed { ended += 1 }
            let recovery = try Transactions(in: host.tree).recover()
            if recovery == nil {
                #expect(try host.isAsBefore, "step \(step)")
            } else {
                #expect(try host.isAsAfter, "step \(step)")
                #expect(recovery == .completed(host.changes.map(\.path)))
            }
            #expect(host.isClean, "step \(step)")
            // The next one works as if nothing had happened.
            let next = Transactions(in: host.tree)
            if recovery == nil { try next.apply(host.changes, directories: host.directories) }
            #expect(try next.undo() == .done(host.changes.map(\.path)))
            #expect(try host.isAsBefore, "step \(step)")
        }
        #expect(ended >= 12)
    }

    @Test func `an undo that ends at any step is completed by the next run`() throws {
        var ended = 0
        for step in 0..<40 {
            let host = try Case()
            try Transactions(in: host.tree).apply(host.changes, directories: host.directories)
            do {
                _ = try host.endingAt(step).undo()
                break
            } catch is Killed { ended += 1 }
            _ = try Transactions(in: host.tree).undo()
            #expect(try host.isAsBefore && host.isClean, "step \(step)")
        }
        #expect(ended >= 6)
    }

    @Test func `services that were not told are remembered, after changes and after an undo`()
        throws
    {
        let host = try Case()
        let transactions = Transactions(in: host.tree)
        let paths = host.changes.map(\.path)
        #expect(try transactions.unserved() == nil)
        try transactions.markServed()
        #expect(!host.tree.exists("/var/lib/signet"))
        try transactions.apply(host.changes, directories: host.directories)
        #expect(try transactions.unserved() == .completed(paths))
        try transactions.markServed()
        #expect(try transactions.unserved() == nil)
        _ = try transactions.undo()
        #expect(try transactions.unserved() == .undone(paths))
        try transactions.markServed()
        #expect(try transactions.unserved() == nil)
        #expect(try transactions.undo() == .nothing)
    }

    @Test func `what is refreshed is undone with the rest, wherever the refresh ends`() throws {
        for step in 0... {
            let this = try Case()
            try Transactions(in: this.tree).apply(this.changes, directories: this.directories)
            let refreshed = [
                FileChange(
                    path: "/etc/new/deep/later", before: nil,
                    after: FileState(Array("later\n".utf8), mode: 0o600)),
                FileChange(
                    path: "/etc/one", before: this.changes[1].after,
                    after: FileState(Array("other\n".utf8), mode: 0o644)),
            ]
            var hasEnded = false
            do {
                try this.endingAt(step).refresh(refreshed, directories: this.directories)
            } catch is Killed { hasEnded = true }
            if !hasEnded {
                #expect(try refreshed.allSatisfy { try this.tree.file($0.path) == $0.after })
            }
            let paths = ["/etc/new/deep/key", "/etc/one", "/etc/two"]
            guard case .done(let undone) = try Transactions(in: this.tree).undo() else {
                Issue.record("not undone after step \(step)")
                return
            }
            #expect(Set(undone).isSuperset(of: paths))
            #expect(try this.isAsBefore && this.isClean, "step \(step)")
            guard hasEnded else { break }
        }
    }

    @Test func `of two refreshes that end on their way the undo knows, too`() throws {
        func change(_ text: String) -> FileChange {
            FileChange(
                path: "/etc/one", before: nil,
                after: FileState(Array("\(text)\n".utf8), mode: 0o644))
        }
        for (first, second) in (0...3).flatMap({ first in (0...3).map { (first, $0) } }) {
            let this = try Case()
            try Transactions(in: this.tree).apply(this.changes, directories: this.directories)
            for (step, text) in [(first, "other"), (second, "third")] {
                do {
                    try this.endingAt(step).refresh([change(text)], directories: [])
                } catch is Killed {}
            }
            let undone = try Transactions(in: this.tree).undo()
            #expect(undone == .done(this.changes.map(\.path)), "\(first), \(second)")
            #expect(try this.isAsBefore, "\(first), \(second)")
        }
    }

    @Test func `units that were at rest are known after the undo, until the services were told`()
        throws
    {
        let this = try Case()
        let transactions = Transactions(in: this.tree)
        try transactions.note(units: ["signet-dkim.socket"])
        #expect(try transactions.unitsToRest().isEmpty)
        try transactions.apply(this.changes, directories: this.directories)
        try transactions.note(units: ["signet-dkim.socket"])
        // A run that was killed behind this is completed by another, for which the socket is open already.
        try transactions.note(units: ["signet-dkim.service", "signet-dkim.socket"])
        try transactions.markServed()
        #expect(try transactions.unitsToRest().isEmpty)
        _ = try transactions.undo()
        #expect(try transactions.unitsToRest() == ["signet-dkim.socket", "signet-dkim.service"])
        try transactions.markServed()
        #expect(try transactions.unitsToRest().isEmpty)
    }

    @Test func `what somebody has changed since is not touched`() throws {
        let host = try Case()
        let transactions = Transactions(in: host.tree)
        try transactions.apply(host.changes, directories: host.directories)
        try host.directory.write("changed\n", to: "etc/two")
        guard case .changedSince(let changes) = try transactions.undo() else {
            Issue.record("the undo went on")
            return
        }
        #expect(changes.map(\.change.path) == ["/etc/two"])
        #expect(try host.tree.file(changes[0].left)?.text == "2")
        #expect(try host.tree.file("/etc/one") == host.changes[1].after)
        try host.directory.write("2", to: "etc/two")
        #expect(try transactions.undo() == .done(host.changes.map(\.path)))
        #expect(try host.isAsBefore)
    }

    @Test func `a file that has changed since the plan stops everything`() throws {
        let host = try Case()
        try host.directory.write("changed\n", to: "etc/two")
        #expect(throws: FileFault.self) {
            try Transactions(in: host.tree).apply(host.changes, directories: host.directories)
        }
        #expect(try host.tree.file("/etc/one") == host.changes[1].before)
        #expect(!host.tree.exists("/etc/new"))
    }

    @Test func `a file that cannot be written puts all others back`() throws {
        let host = try Case()
        let impossible = FileChange(
            path: "/etc/missing/file", before: nil, after: FileState([1], mode: 0o644))
        #expect(throws: FileFault.self) {
            try Transactions(in: host.tree).apply(
                host.changes + [impossible], directories: host.directories)
        }
        #expect(try host.isAsBefore && host.isClean)
        #expect(try Transactions(in: host.tree).recover() == nil)
    }

    @Test func `an interrupted run that somebody has meddled with is not completed`() throws {
        let host = try Case()
        let step = 12
        #expect(throws: Killed.self) {
            try host.endingAt(step).apply(host.changes, directories: host.directories)
        }
        try host.directory.write("meddled\n", to: "etc/two")
        #expect(throws: FileFault.self) { try Transactions(in: host.tree).recover() }
        #expect(try host.tree.file("/etc/two")?.text == "meddled\n")
    }

    @Test func `a tree's symbolic links lead nowhere`() throws {
        let host = try Case()
        let outside = try TemporaryDirectory("signet-outside")
        try outside.write("theirs\n", to: "file")
        try Command.require("ln", ["-s", outside.path, host.directory.file("etc/link")])
        #expect(throws: FileFault.self) { try host.tree.file("/etc/link/file") }
        #expect(throws: FileFault.self) { try host.tree.file("/etc/../etc/one") }
        let change = FileChange(
            path: "/etc/link/new", before: nil, after: FileState([1], mode: 0o644))
        #expect(throws: FileFault.self) {
            try Transactions(in: host.tree).apply([change], directories: [])
        }
        #expect(FileTree(root: outside.path).names(in: "/") == ["file"])
    }

    @Test(arguments: [
        "", "signet setup 1\n", "signet setup 1\nfile - 644:0:0\nend\n",
        "signet setup 1\nfile 999:0:0 644:0:0 /a\nend\n", "signet setup 1\nfile - 644:0:0 a\nend\n",
        "signet setup 2\nend\n",
    ])
    func `a damaged manifest is none`(_ text: String) {
        #expect(Manifest(text) == nil)
    }

    @Test func `a manifest is read as it was written`() throws {
        let host = try Case()
        let manifest = Manifest(host.changes, directories: host.directories)
        #expect(Manifest(manifest.text) == manifest)
    }
}
