internal import CMilter
internal import Milter

/// libmilter's handle of one connection, good within a callback.
///
/// Text that leaves us here has been checked before: no NUL, bounded lengths.
@safe
struct Context: MacroSource {
    private let handle: OpaquePointer

    init?(_ handle: OpaquePointer?) {
        guard let handle = unsafe handle else { return nil }
        unsafe self.handle = handle
    }

    /// The connection behind the handle: nil before negotiation and after close.
    var connection: LibmilterConnection? {
        guard let pointer = unsafe smfi_getpriv(handle) else { return nil }
        return unsafe Unmanaged<LibmilterConnection>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// Gives libmilter the only lasting reference to the connection; false if it does not take it.
    func keep(_ connection: LibmilterConnection) -> Bool {
        let reference = unsafe Unmanaged.passRetained(connection)
        guard unsafe smfi_setpriv(handle, reference.toOpaque()) == MI_SUCCESS else {
            unsafe reference.release()
            return false
        }
        return true
    }

    /// Takes that reference back, once.
    func takeConnection() -> LibmilterConnection? {
        guard let pointer = unsafe smfi_getpriv(handle) else { return nil }
        _ = unsafe smfi_setpriv(handle, nil)
        return unsafe Unmanaged<LibmilterConnection>.fromOpaque(pointer).takeRetainedValue()
    }

    /// The value of a macro, under its name in the normal form, which is libmilter's too.
    func macro(_ name: String) -> String? {
        guard let value = unsafe milter_macro(handle, name) else { return nil }
        return unsafe String(cString: value)
    }

    /// Asks for a stage's macros, at negotiation.
    func requestMacros(_ names: [String], at stage: MilterStage) {
        let list = names.map(MilterMacros.normalized).joined(separator: " ")
        _ = unsafe milter_request_macros(handle, stage.rawValue, list)
    }

    /// Gives libmilter the text of a refusal and returns the status that it goes with.
    ///
    /// If libmilter does not take the text, the refusal stands without it.
    func refuse(_ reply: SMTPReply) -> sfsistat {
        let lines = reply.escapedLines
        let text = lines.flatMap { line in line.utf8CString }
        _ = unsafe milter_set_reply_lines(
            handle, String(reply.code), reply.enhancedCode, text, Int32(lines.count))
        return reply.code < 500 ? SMFIS_TEMPFAIL : SMFIS_REJECT
    }

    /// Sends one edit; false if libmilter could not.
    func send(_ edit: MessageEdit, hasLeadingSpace: Bool) -> Bool {
        let result =
            switch edit {
            case .insertHeader(let index, let name, let value):
                unsafe milter_insert_header(
                    handle, Int32(index), name, text(value, hasLeadingSpace))
            case .addHeader(let name, let value):
                unsafe milter_add_header(handle, name, text(value, hasLeadingSpace))
            case .changeHeader(let name, let occurrence, let value):
                unsafe milter_change_header(
                    handle, name, Int32(occurrence), text(value, hasLeadingSpace))
            case .deleteHeader(let name, let occurrence):
                unsafe milter_change_header(handle, name, Int32(occurrence), nil)
            case .quarantine(let reason):
                unsafe milter_quarantine(handle, reason)
            case .addRecipient(let address):
                unsafe milter_add_recipient(handle, address)
            case .deleteRecipient(let address):
                unsafe milter_delete_recipient(handle, address)
            case .changeSender(let address):
                unsafe milter_change_sender(handle, address, nil)
            }
        return result == MI_SUCCESS
    }

    /// A header value as a C string in the form that was agreed.
    private func text(_ value: [UInt8], _ hasLeadingSpace: Bool) -> [UInt8] {
        MessageEdit.wireValue(value, hasLeadingSpace: hasLeadingSpace) + [0]
    }
}
