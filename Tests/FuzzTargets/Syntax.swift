import MailSyntax

func checkSplit(_ input: [UInt8]) throws(BrokenPromise) {
    let limits = HeaderSection.Limits(fields: 500, bytes: 1 << 18)
    guard let split = try? HeaderSection.split(message: input, limits: limits) else { return }
    try promise("the body begins in the message", split.bodyStart <= input.count)
    try checkSection(split.header)
    let written = split.header.bytes + [.cr, .lf]
    let again = try? HeaderSection.split(message: written, limits: limits)
    try promise(
        "a section that was split is split alike again", again?.header.fields == split.header.fields
    )
    try promise("its octets stay", again?.header.bytes == split.header.bytes)
    try promise("its empty line ends it", again?.bodyStart == written.count)
    _ = try? MessageFile(contents: input, limits: limits)
}

func checkAppend(_ input: [UInt8]) throws(BrokenPromise) {
    let limits = HeaderSection.Limits(fields: 40, bytes: 2048)
    var header = HeaderSection(limits: limits)
    for field in input.split(separator: 0x1E, omittingEmptySubsequences: false) {
        let parts = Array(field).parts(atMost: 2, separator: 0x3A)
        let value = parts.count > 1 ? parts[1] : []
        let isKept = header.append(name: parts[0], value: value)
        try promise(
            "a field is kept unless a limit is met", isKept == (header.limitExceeded == nil))
        guard isKept, let last = header.fields.indices.last else { continue }
        try promise(
            "nothing but line ends changes",
            header.value(of: last).filter { $0 != .cr } == value.filter { $0 != .cr }[...])
        try promise("the name stays", parts[0].starts(with: header.name(of: last)))
    }
    try promise("limits hold", header.count <= limits.fields && header.bytes.count <= limits.bytes)
    try checkSection(header)
}

/// What holds for every section: its fields lie side by side, and the index finds them.
private func checkSection(_ header: HeaderSection) throws(BrokenPromise) {
    var end = 0
    for field in header.fields {
        try promise("fields lie side by side", field.whole.lowerBound == end)
        end = field.whole.upperBound
        try promise("a field ends with CRLF", header.bytes[..<end].suffix(2) == [.cr, .lf])
        try promise("a name comes before its value", field.name.upperBound < field.value.lowerBound)
    }
    try promise("fields are all there is", end == header.bytes.count)
    for position in header.fields.indices.prefix(64) {
        let name = header.name(of: position).asciiLowercased
        let alike = header.fields.indices.filter { header.name(of: $0).asciiLowercased == name }
        try promise(
            "the index finds all fields of a name", header.indices(named: name.span) == alike)
        try promise(
            "fields of a name are counted from the top",
            alike.firstIndex(of: position).map { $0 + 1 } == header.occurrence(of: position))
    }
}

func checkAuthor(_ input: [UInt8]) throws(BrokenPromise) {
    let author = AuthorField(parsing: input.span)
    for mailbox in author.mailboxes {
        let again = AuthorField(parsing: Array(mailbox.address.utf8).span)
        try promise("an address that is written reads as itself", again.mailboxes.count == 1)
        try promise("its domain stays", again.domains == [mailbox.domain])
        try promise(
            "its local part stays", again.mailboxes.first?.localPart == mailbox.localPart)
    }
    try promise(
        "a field with authors has a domain", author.mailboxes.isEmpty == author.domains.isEmpty)
}

func checkPath(_ input: [UInt8]) throws(BrokenPromise) {
    _ = try? EnvelopeAddress(forwardPath: input.span)
    guard let path = try? ReversePath(parsing: input.span) else { return }
    // Octets outside UTF-8 are replaced for display.
    guard let mailbox = path.mailbox, String(validating: mailbox.localPart, as: UTF8.self) != nil
    else { return }
    let again = try? ReversePath(parsing: Array("<\(path.text)>".utf8).span)
    try promise("a path that is written reads as itself", again == path)
}

func checkDomain(_ input: [UInt8]) throws(BrokenPromise) {
    guard let domain = try? DomainName(bytes: input) else { return }
    try promise("a name is ASCII", domain.ascii.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
    try promise("a name is within its limits", domain.ascii.utf8.count <= DomainName.maximumLength)
    try promise("a name is itself", (try? DomainName(domain.description)) == domain)
    try promise(
        "a name for display is itself",
        domain.ascii.isEmpty || (try? DomainName(domain.unicode)) == domain)
    try promise("labels are counted", domain.labels.count == domain.labelCount)
    var count = 0
    var ancestor = domain.parent
    while let present = ancestor, count <= DomainName.maximumLength {
        count += 1
        try promise("a name is below its parents", domain.isSubdomain(of: present))
        try promise("a suffix is a parent", domain.suffix(labels: present.labelCount) == present)
        ancestor = present.parent
    }
    try promise("a name has as many parents as labels", count == domain.labelCount)
    if let child = try? domain.prepending("_dmarc") {
        try promise("a prefix makes a child", child.parent == domain)
    }
    if let address = IPAddress(bytes: input) {
        try promise("an address is itself", IPAddress(address.description) == address)
    }
}

func checkTags(_ input: [UInt8]) throws(BrokenPromise) {
    let strict = try? TagList(parsing: input)
    let lenient = try? TagList(parsing: input, strictness: .allowingEmptyTags)
    if let strict { try promise("leniency reads the same", lenient?.tags == strict.tags) }
    guard let lenient else { return }
    var end = 0
    for tag in lenient.tags {
        try promise("tags follow each other", tag.name.lowerBound >= end && !tag.name.isEmpty)
        try promise(
            "a value comes after its name", tag.name.upperBound < tag.spacedValue.lowerBound)
        try promise(
            "a value lies in its space",
            tag.spacedValue.lowerBound <= tag.value.lowerBound
                && tag.value.upperBound <= tag.spacedValue.upperBound)
        try promise(
            "a value has no white space around it",
            input[tag.value] == input[tag.spacedValue].trimmingFoldingSpace())
        try promise("a value ends at a semicolon", !input[tag.spacedValue].contains(0x3B))
        end = tag.spacedValue.upperBound
    }
    try promise(
        "no tag occurs twice", Set(lenient.tags.map { input[$0.name] }).count == lenient.tags.count)
    for name in ["h", "b", "s"] {
        _ = lenient.list(name)
        if let octets = lenient.base64(name) {
            let text = Base64.encode(octets)
            try promise("base64 that is written reads as itself", Base64.decode(text) == octets)
        }
    }
}
