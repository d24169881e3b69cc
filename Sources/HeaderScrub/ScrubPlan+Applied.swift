public import MailSyntax

extension ScrubPlan {
    /// The header section as it will be, octet for octet.
    ///
    /// - Parameters:
    ///   - header: the header section that the plan was made for.
    ///   - lineEnd: what ends its lines: CR LF, or LF alone.
    /// - Returns: the fields, each with its line end, without the empty line that follows.
    public func applied(to header: HeaderSection, lineEnd: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
            bytes += name
            bytes.append(UInt8(ascii: ":"))
            for octet in value where octet != .cr {
                if octet == .lf { bytes += lineEnd } else { bytes.append(octet) }
            }
            bytes += lineEnd
        }
        if let ownReceived {
            append(FieldName.received.text.utf8.map { $0 }[...], ownReceived[...])
        }
        var rest = changes[...]
        for position in header.fields.indices {
            let name = header.name(of: position)
            switch rest.first?.position == position ? rest.removeFirst().change : nil {
            case .remove: continue
            case .rewrite(let value): append(name, value[...])
            case nil: append(name, header.value(of: position))
            }
        }
        return bytes
    }
}
