import Configuration
import Glibc
import MailSyntax

/// A schema with a directive of each kind.
private let schema = ConfigurationSchema([
    DirectiveSpec("Boolean", .boolean, default: "no", ""),
    DirectiveSpec("Integer", .integer(-5...1000), default: "7", ""),
    DirectiveSpec("Duration", .duration(0...86_400), default: "1h", ""),
    DirectiveSpec("Text", aliases: ["Words"], .text, accumulates: true, ""),
    DirectiveSpec("Word", .word(["accept|a", "reject|r"]), default: "accept", ""),
    DirectiveSpec("Path", .path, ""),
    DirectiveSpec("Socket", .socket, ""),
    DirectiveSpec("User", .user, ""),
    DirectiveSpec("Mask", .mask, ""),
    DirectiveSpec("Set", .dataSet, ""),
    .noOp("Nothing", "it does nothing"),
    .refused("Refused", exceptNo: true, "it cannot be", instead: "do without"),
])

func checkConfiguration(_ input: [UInt8]) throws(BrokenPromise) {
    let text = String(decoding: input, as: UTF8.self)
    let reader = ConfigurationReader(schema: schema, text: text)
    _ = reader.boolean("Boolean")
    let integer = reader.integer("Integer")
    try promise("a number is within its bounds", integer.map { (-5...1000).contains($0) } ?? false)
    let duration = reader.duration("Duration")
    try promise(
        "a time is within its bounds",
        duration.map { $0 >= .zero && $0 <= .seconds(86_400) } ?? false)
    _ = reader.text("Text")
    _ = reader.socket("Socket")
    _ = reader.user("User")
    if let mask = reader.mask("Mask") { try promise("a mask is one", mask <= 0o7777) }
    // A set in a file would be whichever file the input names.
    if let set = reader.text("Set"), !set.utf8.contains(0x2F) {
        try checkLookups(reader, "Set")
    }
    let lines = text.utf8.count { $0 == 0x0A } + 1
    for problem in reader.problems {
        try promise(
            "a problem is on a line", problem.location.line.map { 1...lines ~= $0 } ?? true)
        try promise("a problem is one line", !problem.description.utf8.contains(0x0A))
    }
}

/// A file without a name that holds what it is told to.
private struct NamelessFile: ~Copyable {
    private let descriptor: Int32

    var path: String { "/proc/self/fd/\(descriptor)" }

    init(_ contents: [UInt8]) {
        var name = Array("/tmp/fuzz.XXXXXX".utf8CString)
        descriptor = unsafe mkstemp(&name)
        _ = unsafe unlink(name)
        _ = unsafe write(descriptor, contents, contents.count)
    }

    deinit {
        close(descriptor)
    }
}

func checkDataSet(_ input: [UInt8]) throws(BrokenPromise) {
    let file = NamelessFile(input)
    for kind in ["file", "refile"] {
        let reader = ConfigurationReader(schema: schema, text: "Set \(kind):\(file.path)")
        try promise("the directive is read", reader.isSet("Set"))
        try checkLookups(reader, "Set")
    }
}

/// Looks things up in a data set as each of the things it can be.
private func checkLookups(
    _ reader: ConfigurationReader, _ directive: String
) throws(BrokenPromise) {
    guard let set = reader.dataSet(directive), let domain = try? DomainName("mail.example.org")
    else { return }
    for text in [domain.ascii, "ann@mail.example.org", set.entries.first?.key ?? ""] {
        let all = set.allEntries(matching: text)
        try promise(
            "the first match is the first of all", set.firstEntry(matching: text) == all.first)
        try promise("what is contained is found", set.contains(text) == !all.isEmpty)
    }
    if set.matching == .equality {
        for entry in set.entries.prefix(8) {
            try promise("an entry is found by its key", set.contains(entry.key))
        }
    }
    _ = set.entries(localPart: "ann", domain: domain)
    for entry in set.entries.prefix(8) {
        try promise(
            "an entry has no more fields than asked for", entry.fields(atMost: 3).count <= 3)
    }
    _ = DomainSet(set, directive: directive) { _ in }.contains(domain)
    let peers = PeerSet(set, directive: directive) { _ in }
    let address = IPAddress("192.0.2.1")
    _ = peers.contains(hostName: domain.ascii, address: address)
    try promise(
        "the empty set has nobody",
        !peers.isEmpty || !peers.contains(hostName: nil, address: address))
}

func checkGlob(_ input: [UInt8]) throws(BrokenPromise) {
    let parts = input.parts(atMost: 2)
    guard parts.count == 2 else { return }
    let pattern = String(decoding: parts[0], as: UTF8.self)
    let text = Array(parts[1].prefix(300))
    if let glob = try? Glob(pattern, syntax: .full) { _ = glob.matches(text.span) }
    guard let glob = try? Glob(pattern, ignoringCase: false) else { return }
    try promise(
        "a pattern matches what it says",
        glob.matches(text.span) == isMatch(text, of: Array(pattern.utf8)))
}

/// Matches `*` by the definition: for each beginning of the pattern, which beginnings of the text fit.
private func isMatch(_ text: [UInt8], of pattern: [UInt8]) -> Bool {
    var fits = [true] + Array(repeating: false, count: text.count)
    for octet in pattern {
        if octet == 0x2A {
            for index in text.indices where fits[index] { fits[index + 1] = true }
        } else {
            for index in text.indices.reversed() {
                fits[index + 1] = fits[index] && text[index] == octet
            }
            fits[0] = false
        }
    }
    return fits[text.count]
}
