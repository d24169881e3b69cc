internal import CJansson
internal import ReportStore

/// A JSON text, parsed by Jansson.
///
/// Trust: hostile octets, of which the caller bounds the number; Jansson bounds the depth at 2048.
@safe
final class JSONDocument {
    private let root: UnsafeMutablePointer<json_t>

    /// A value of the document, which lives as long as this does.
    @safe
    struct Value {
        fileprivate let document: JSONDocument
        fileprivate let pointer: UnsafeMutablePointer<json_t>

        /// The text of a string; nil for anything else.
        var text: String? {
            guard unsafe pointer.pointee.type == JSON_STRING,
                let octets = unsafe json_string_value(pointer)
            else { return nil }
            let memory = unsafe UnsafeRawBufferPointer(
                start: octets, count: json_string_length(pointer))
            return unsafe String(decoding: memory, as: UTF8.self)
        }

        /// An integer; a string of digits is taken too, as some programs write numbers so.
        var integer: Int64? {
            if unsafe pointer.pointee.type == JSON_INTEGER {
                return unsafe json_integer_value(pointer)
            }
            return text.flatMap { Int64($0) }
        }

        /// A member of an object.
        subscript(_ key: String) -> Value? {
            guard let found = unsafe json_object_get(pointer, key) else { return nil }
            return unsafe Value(document: document, pointer: found)
        }

        /// The elements of an array, as many as so many; the value alone where it is an object.
        func elements(atMost limit: Int) -> [Value] {
            if unsafe pointer.pointee.type == JSON_OBJECT { return [self] }
            guard unsafe pointer.pointee.type == JSON_ARRAY else { return [] }
            let count = min(unsafe Int(clamping: json_array_size(pointer)), limit)
            return (0..<count).compactMap { index in
                guard let found = unsafe json_array_get(pointer, index) else { return nil }
                return unsafe Value(document: document, pointer: found)
            }
        }

        /// Whether it is an object.
        var isObject: Bool { unsafe pointer.pointee.type == JSON_OBJECT }
    }

    /// Parses a text.
    ///
    /// - Throws: what is wrong, and in which line.
    init(_ octets: ArraySlice<UInt8>) throws(ReportRefusal) {
        var error = json_error_t()
        let root = unsafe octets.withUnsafeBytes { memory in
            unsafe json_loadb(
                memory.baseAddress?.assumingMemoryBound(to: CChar.self), memory.count,
                0, &error)
        }
        guard let root = unsafe root else {
            let words = unsafe withUnsafeBytes(of: &error.text) { memory in
                unsafe String(decoding: memory.prefix { $0 != 0 }, as: UTF8.self)
            }
            let line = error.line
            throw ReportRefusal(
                .tls,
                "the JSON cannot be parsed: line \(line): \(PlainText.line(words, atMost: 120))")
        }
        unsafe self.root = unsafe root
    }

    deinit { unsafe signet_json_free(root) }

    /// The whole.
    var value: Value { unsafe Value(document: self, pointer: root) }
}
