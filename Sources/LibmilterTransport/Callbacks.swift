internal import CMilter
internal import Glibc
internal import MailSyntax
internal import Milter
internal import Threads

/// The one service of the process.
///
/// smfi_register takes no user pointer, and libmilter serves one filter in a process: a global is
/// unavoidable here. It is read once for each connection, at negotiation.
let registeredService = Locked<MilterService?>(nil)

/// The callbacks as libmilter wants them described.
///
/// Trust: libmilter hands over NUL-terminated strings that the MTA sent, with the bytes that the
/// SMTP client sent: any.
func makeDescription(name: UnsafeMutablePointer<CChar>, edits: MilterEdits) -> smfiDesc {
    var description = unsafe smfiDesc()
    unsafe description.xxfi_name = name
    unsafe description.xxfi_version = Int32(SMFI_VERSION)
    unsafe description.xxfi_flags = UInt(edits.rawValue)
    unsafe description.xxfi_negotiate = {
        context, offeredActions, offeredOptions, _, _, actions, options, reserved2, reserved3 in
        guard let context = unsafe Context(context),
            let negotiation = negotiate(
                context, UInt32(truncatingIfNeeded: offeredActions),
                UInt32(truncatingIfNeeded: offeredOptions))
        else { return SMFIS_REJECT }
        unsafe actions?.pointee = UInt(negotiation.actions)
        // libmilter itself replies where the MTA insists on what is not offered.
        unsafe options?.pointee = UInt(negotiation.options | negotiation.noReplyOptions)
        unsafe reserved2?.pointee = 0
        unsafe reserved3?.pointee = 0
        return SMFIS_CONTINUE
    }
    unsafe description.xxfi_connect = { context, host, address in
        unsafe deliver(.connect, context) { session, macros in
            let client = unsafe MilterClient(hostName: text(host), address: address)
            return session.connect(client, macros)
        }
    }
    unsafe description.xxfi_helo = { context, name in
        unsafe deliver(.helo, context) { session, macros in
            unsafe session.helo(bytes(name).span, macros)
        }
    }
    unsafe description.xxfi_envfrom = { context, arguments in
        unsafe deliver(.mail, context) { session, macros in
            unsafe session.mail(
                bytes(arguments?.pointee).span, parameters: parameters(arguments), macros)
        }
    }
    unsafe description.xxfi_envrcpt = { context, arguments in
        unsafe deliver(.recipient, context) { session, macros in
            unsafe session.recipient(
                bytes(arguments?.pointee).span, parameters: parameters(arguments), macros)
        }
    }
    unsafe description.xxfi_data = { context in
        unsafe deliver(.data, context) { session, macros in session.data(macros) }
    }
    unsafe description.xxfi_header = { context, name, value in
        unsafe deliverHeader(context, name: bytes(name), value: bytes(value))
    }
    unsafe description.xxfi_eoh = { context in
        unsafe deliver(.endOfHeader, context) { session, macros in session.endOfHeader(macros) }
    }
    unsafe description.xxfi_body = { context, chunk, length in
        unsafe deliver(.body, context) { session, _ in
            unsafe session.body(UnsafeBufferPointer(start: chunk, count: length).span)
        }
    }
    unsafe description.xxfi_eom = { context in
        guard let context = unsafe Context(context), let connection = context.connection else {
            return SMFIS_TEMPFAIL
        }
        return connection.endOfMessage(context)
    }
    unsafe description.xxfi_abort = { context in
        if let context = unsafe Context(context) { context.connection?.abort(context) }
        return SMFIS_CONTINUE
    }
    unsafe description.xxfi_close = { context in
        if let context = unsafe Context(context) { close(context) }
        return SMFIS_CONTINUE
    }
    return unsafe description
}

/// Agrees with the MTA and makes the connection's session, or refuses it.
private func negotiate(
    _ context: Context, _ offeredActions: UInt32, _ offeredOptions: UInt32
) -> Negotiation? {
    guard let service = registeredService.withLock({ $0 }) else { return nil }
    // libmilter takes only the first offer of a connection; should it ever take another, the first
    // session ends here.
    close(context)
    let filter = service.filter()
    let needs = service.needs(of: filter)
    switch Negotiation.answer(
        needs: needs, offeredActions: offeredActions, offeredOptions: offeredOptions)
    {
    case .success(let negotiation):
        if negotiation.canRequestMacros {
            for (stage, names) in needs.macros { context.requestMacros(names, at: stage) }
        }
        let connection = LibmilterConnection(
            service: service, events: needs.events, negotiation: negotiation,
            session: filter.makeSession(protocol: negotiation.agreed))
        return context.keep(connection) ? negotiation : nil
    case .failure(let missing):
        service.onProblem("connection refused: \(missing)")
        return nil
    }
}

/// Ends a connection's session; libmilter also closes connections that were never negotiated.
private func close(_ context: Context) {
    context.takeConnection()?.close()
}

/// Passes an event on.
///
/// A peer that skips negotiation, or goes on after asking for a new connection on the same socket
/// (SMFIC_QUIT_NC, which Postfix does not send), has no session and is refused.
private func deliver(
    _ event: MilterEvents, _ context: OpaquePointer?,
    _ call: (any MilterSession, borrowing MilterMacros) -> MilterReply
) -> sfsistat {
    guard let context = unsafe Context(context), let connection = context.connection else {
        return SMFIS_TEMPFAIL
    }
    return connection.deliver(event, context) { session in
        call(session, MilterMacros(context))
    }
}

/// Passes a header field on, with its leading space.
///
/// Where the MTA has eaten the one space that usually follows the colon, it is put back. A value
/// that begins with a tab or a fold most likely had none.
private func deliverHeader(
    _ context: OpaquePointer?, name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
) -> sfsistat {
    guard let context = unsafe Context(context), let connection = context.connection else {
        return SMFIS_TEMPFAIL
    }
    return connection.deliver(.header, context) { session in
        let first = unsafe value.first
        if connection.hasLeadingSpace || first == UInt8(ascii: "\t") || first == UInt8(ascii: "\n")
        {
            return unsafe session.header(name: name.span, value: value.span)
        }
        let restored = unsafe [UInt8(ascii: " ")] + value
        return unsafe session.header(name: name.span, value: restored.span)
    }
}

/// The bytes of a C string, without its NUL.
private func bytes(_ string: UnsafeMutablePointer<CChar>?) -> UnsafeBufferPointer<UInt8> {
    guard let string = unsafe string else {
        return unsafe UnsafeBufferPointer(start: nil, count: 0)
    }
    let length = unsafe strlen(string)
    return unsafe UnsafeBufferPointer(
        start: UnsafeRawPointer(string).assumingMemoryBound(to: UInt8.self), count: length)
}

private func text(_ string: UnsafeMutablePointer<CChar>?) -> String {
    unsafe String(decoding: bytes(string), as: UTF8.self)
}

/// The ESMTP parameters: all arguments but the first, up to the null pointer.
private func parameters(
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> [[UInt8]] {
    guard let arguments = unsafe arguments, unsafe arguments[0] != nil else { return [] }
    var result: [[UInt8]] = []
    var index = 1
    while let argument = unsafe arguments[index] {
        unsafe result.append(Array(bytes(argument)))
        index += 1
    }
    return result
}
