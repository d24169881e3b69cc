internal import CExpat

/// An aggregate report's XML, parsed by expat as it comes.
///
/// Trust: hostile octets. A document type declaration ends the parse before any entity can be declared; depth and text are bounded by
/// the builder. Prefixes are taken off without regard to what they are bound to, as reporters forget to bind them.
@safe
final class ExpatParser {
    /// Why a document is not well-formed.
    struct Failure: Error {
        let reason: String
    }

    private let handle: XML_Parser
    private let builder: AggregateBuilder
    private let limits: ReadingLimits
    /// How many octets have gone by without an element or a text.
    private var silence = 0
    /// How many attributes there were, and elements that are not known.
    private var names = 0

    /// A parser whose elements go to a builder.
    ///
    /// - Parameters:
    ///   - builder: what makes a report of them.
    ///   - limits: how long a tag may be, and how many names are remembered.
    ///   - isUTF8: whether the text is UTF-8 whatever the document says.
    /// - Throws: that there is no memory.
    init(
        _ builder: AggregateBuilder, _ limits: ReadingLimits, isUTF8: Bool = false
    ) throws(Failure) {
        guard let handle = unsafe XML_ParserCreate(isUTF8 ? "UTF-8" : nil) else {
            throw Failure(reason: "no memory")
        }
        unsafe self.handle = unsafe handle
        self.builder = builder
        self.limits = limits
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe XML_SetUserData(handle, context)
        unsafe XML_SetElementHandler(
            handle,
            { context, name, _ in
                guard let context = unsafe context, let name = unsafe name else { return }
                unsafe ExpatParser.from(context).begin(name)
            },
            { context, name in
                guard let context = unsafe context, let name = unsafe name else { return }
                unsafe ExpatParser.from(context).end(name)
            })
        unsafe XML_SetCharacterDataHandler(handle) { context, text, length in
            guard let context = unsafe context, let text = unsafe text else { return }
            let octets = unsafe UnsafeRawBufferPointer(start: text, count: Int(length))
            let parser = unsafe ExpatParser.from(context)
            parser.silence = 0
            unsafe parser.builder.text(octets)
        }
        unsafe XML_SetStartDoctypeDeclHandler(handle) { context, _, _, _, _ in
            guard let context = unsafe context else { return }
            let parser = unsafe ExpatParser.from(context)
            parser.builder.refuse("it has a document type declaration, which no report needs")
            parser.stop()
        }
    }

    deinit { unsafe XML_ParserFree(handle) }

    /// Parses a piece.
    ///
    /// - Parameters:
    ///   - octets: the piece.
    ///   - isLast: whether the document ends with it.
    /// - Throws: why the document is not well-formed. What the builder refuses is left to the caller.
    func parse(_ octets: ArraySlice<UInt8>, isLast: Bool) throws(Failure) {
        silence += octets.count
        let status = unsafe octets.withUnsafeBytes { memory in
            unsafe XML_Parse(
                handle, memory.baseAddress?.assumingMemoryBound(to: CChar.self),
                Int32(clamping: memory.count), isLast ? 1 : 0)
        }
        if silence > limits.markup {
            builder.refuse("it has a tag or a comment of more than \(limits.markup >> 10) kB")
        }
        guard status != XML_STATUS_OK, builder.refusal == nil else { return }
        let code = unsafe XML_GetErrorCode(handle)
        let words = unsafe XML_ErrorString(code).map { unsafe String(cString: $0) } ?? "unknown"
        let line = unsafe signet_expat_line(handle)
        throw Failure(reason: "line \(line): \(words)")
    }

    @unsafe private static func from(_ context: UnsafeMutableRawPointer) -> ExpatParser {
        unsafe Unmanaged<ExpatParser>.fromOpaque(context).takeUnretainedValue()
    }

    private func stop() { unsafe _ = XML_StopParser(handle, 0) }

    @unsafe private func begin(_ name: UnsafePointer<CChar>) {
        let element = AggregateElement(hash: unsafe Self.hash(name))
        silence = 0
        // The parser remembers each name until it ends. It counts an attribute's name and its value.
        names += (unsafe Int(XML_GetSpecifiedAttributeCount(handle))) / 2 + (element == nil ? 1 : 0)
        if names > limits.names {
            builder.refuse("it has too many attributes, or elements that are not of the format")
        }
        builder.begin(element)
        if builder.refusal != nil { stop() }
    }

    @unsafe private func end(_ name: UnsafePointer<CChar>) {
        silence = 0
        builder.end(AggregateElement(hash: unsafe Self.hash(name)))
        if builder.refusal != nil { stop() }
    }

    /// The hash of the name after its prefix.
    @unsafe private static func hash(_ name: UnsafePointer<CChar>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        var position = unsafe name
        while true {
            let octet = UInt8(bitPattern: unsafe position.pointee)
            if octet == 0 { return hash }
            hash =
                octet == 0x3A ? 0xCBF2_9CE4_8422_2325 : (hash ^ UInt64(octet)) &* 0x100_0000_01B3
            unsafe position += 1
        }
    }
}
