internal import CXML2

/// An XML document that libxml2 writes: it escapes what has to be escaped.
///
/// A step that fails, for want of memory, makes `finish()` throw; the steps after it do nothing.
@safe
final class XMLDocument {
    private let buffer: xmlBufferPtr
    private let writer: xmlTextWriterPtr
    private var hasFailed = false

    /// Begins a document, in UTF-8 and with an indent of two.
    init() throws(ReportError) {
        guard let buffer = unsafe xmlBufferCreate() else { throw ReportError("no memory for XML") }
        guard let writer = unsafe xmlNewTextWriterMemory(buffer, 0) else {
            unsafe xmlBufferFree(buffer)
            throw ReportError("no memory for XML")
        }
        unsafe self.buffer = unsafe buffer
        unsafe self.writer = unsafe writer
        note(unsafe xmlTextWriterSetIndent(writer, 1))
        note(unsafe xmlTextWriterSetIndentString(writer, "  "))
        note(unsafe xmlTextWriterStartDocument(writer, nil, "UTF-8", nil))
    }

    deinit {
        unsafe xmlFreeTextWriter(writer)
        unsafe xmlBufferFree(buffer)
    }

    /// Writes an element with what the body writes.
    func element(_ name: String, _ body: () -> Void) {
        note(unsafe xmlTextWriterStartElement(writer, name))
        body()
        end()
    }

    /// Begins the root element.
    func begin(_ name: String, namespace: String) {
        note(unsafe xmlTextWriterStartElement(writer, name))
        note(unsafe xmlTextWriterWriteAttribute(writer, "xmlns", namespace))
    }

    /// Ends an element.
    func end() { note(unsafe xmlTextWriterEndElement(writer)) }

    /// How long the document is so far, in octets.
    var length: Int {
        note(unsafe xmlTextWriterFlush(writer))
        return unsafe Int(xmlBufferLength(buffer))
    }

    /// Writes an element with text; what XML has no characters for becomes question marks.
    func element(_ name: String, _ text: String) {
        note(unsafe xmlTextWriterStartElement(writer, name))
        if !text.isEmpty { note(unsafe xmlTextWriterWriteString(writer, Self.printable(text))) }
        end()
    }

    /// Ends the document, and gives its octets.
    func finish() throws(ReportError) -> [UInt8] {
        note(unsafe xmlTextWriterEndDocument(writer))
        note(unsafe xmlTextWriterFlush(writer))
        guard !hasFailed, let octets = unsafe xmlBufferContent(buffer) else {
            throw ReportError("the XML could not be written")
        }
        let count = unsafe Int(xmlBufferLength(buffer))
        return unsafe Array(UnsafeBufferPointer(start: octets, count: count))
    }

    /// What the production Char allows (XML 1.0, section 2.2), without control characters.
    private static func printable(_ text: String) -> String {
        if text.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) { return text }
        let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar.value {
            case 0x20...0x7E, 0xA0...0xFFFD, 0x1_0000...: scalar
            default: "?"
            }
        }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    private func note(_ status: Int32) {
        if status < 0 { hasFailed = true }
    }
}
