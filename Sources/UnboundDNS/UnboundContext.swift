internal import CUnbound
internal import Glibc

/// A question given to libunbound, and what is to happen with its reply.
final class UnboundQuery: Sendable {
    let name: String
    let type: UInt16
    let completion: @Sendable (UnboundQuery, Result<UnboundReply, UnboundError>) -> Void

    init(
        name: String, type: UInt16,
        completion: @escaping @Sendable (UnboundQuery, Result<UnboundReply, UnboundError>) -> Void
    ) {
        self.name = name
        self.type = type
        self.completion = completion
    }
}

/// What libunbound found out, copied out of its memory.
struct UnboundReply: Sendable {
    var responseCode: Int
    /// The data of the records at the end of the CNAME chain; nil when there are too many.
    var records: [[UInt8]]?
    var isSecure: Bool
    /// Why DNSSEC validation failed, if it did.
    var bogusReason: String?
    /// Seconds for which the reply may be kept.
    var ttl: Int
}

/// An error code of libunbound.
struct UnboundError: Error, Hashable, CustomStringConvertible {
    let code: Int32

    var description: String {
        unsafe ub_strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}

/// The one owner of a libunbound context: every call into the library is in this file.
///
/// Trust: replies are written by strangers. libunbound has parsed them; here they are only copied,
/// within bounds.
@safe
final class UnboundContext: Sendable {
    /// The most records that an answer may have.
    static let maximumRecords = 1000

    /// The library's version, as in `1.17.1`.
    static var version: String { unsafe ub_version().map { unsafe String(cString: $0) } ?? "" }

    /// Shared between threads as unbound.h allows: "Multiple threads can use the *same context*",
    /// and, asynchronously, "the callbacks are called in the thread that calls process(ctx)".
    nonisolated(unsafe) private let context: OpaquePointer

    init() throws(UnboundError) {
        guard let context = unsafe ub_ctx_create() else {
            throw UnboundError(code: UB_NOMEM.rawValue)
        }
        unsafe self.context = context
        // The library's messages would go to standard error, past the daemon's log.
        unsafe ub_ctx_debugout(context, nil)
        // Work is done by a thread of the library, not by a forked process.
        unsafe ub_ctx_async(context, 1)
    }

    /// Sets an option of unbound.conf(5); its name has no colon.
    func set(_ option: String, _ value: String) throws(UnboundError) {
        try check(unsafe ub_ctx_set_option(context, option + ":", value))
    }

    /// Adds a server to which every question is forwarded, as `ADDR@PORT`.
    func forward(to server: String) throws(UnboundError) {
        try check(unsafe ub_ctx_set_fwd(context, server))
    }

    /// Forwards every question to the servers of a resolv.conf(5) file.
    func forward(toServersIn path: String) throws(UnboundError) {
        try check(unsafe ub_ctx_resolvconf(context, path))
    }

    /// Adds the trust anchors of a file.
    func addTrustAnchors(from path: String) throws(UnboundError) {
        try check(unsafe ub_ctx_add_ta_file(context, path))
    }

    /// Lets questions below a special-use name go to the servers, and ends the configuration.
    ///
    /// Options can no longer be set, and a trust anchor file that does not parse is reported.
    func removeLocalZone(_ name: String) throws(UnboundError) {
        try check(unsafe ub_ctx_zone_remove(context, name))
    }

    /// Readable when `process()` has something to do.
    var fileDescriptor: Int32 { unsafe ub_fd(context) }

    /// Runs the completions of the queries whose replies are there, on this thread.
    func process() {
        unsafe ub_process(context)
    }

    /// Starts a query.
    ///
    /// The caller keeps it until its completion has run or `close` has returned; if
    /// this throws, the completion never runs.
    func start(_ query: UnboundQuery) throws(UnboundError) {
        let argument = unsafe Unmanaged.passUnretained(query).toOpaque()
        // 1 is class IN.
        try check(
            unsafe ub_resolve_async(
                context, query.name, Int32(query.type), 1, argument, receiveReply, nil))
    }

    /// Stops the library's thread and frees the context: completions that have not run never will.
    ///
    /// No other method may be called afterwards, or on another thread meanwhile.
    func close() {
        unsafe ub_ctx_delete(context)
    }

    private func check(_ code: Int32) throws(UnboundError) {
        guard code == 0 else { throw UnboundError(code: code) }
    }
}

/// libunbound's callback: copies the reply, frees it and completes the query.
private func receiveReply(
    argument: UnsafeMutableRawPointer?, code: Int32, result: UnsafeMutablePointer<ub_result>?
) {
    defer { unsafe ub_resolve_free(result) }
    guard let argument = unsafe argument else { return }
    let query = unsafe Unmanaged<UnboundQuery>.fromOpaque(argument).takeUnretainedValue()
    guard code == 0, let result = unsafe result else {
        let failure = UnboundError(code: code == 0 ? UB_NOMEM.rawValue : code)
        return query.completion(query, .failure(failure))
    }
    query.completion(query, .success(unsafe UnboundReply(copying: result.pointee)))
}

extension UnboundReply {
    fileprivate init(copying result: ub_result) {
        unsafe responseCode = Int(result.rcode)
        unsafe isSecure = result.secure != 0
        unsafe ttl = Int(result.ttl)
        unsafe bogusReason =
            result.bogus == 0
            ? nil : result.why_bogus.map { unsafe String(cString: $0) } ?? "validation failed"
        unsafe records = result.havedata == 0 ? [] : Self.copyRecords(of: result)
    }

    /// The data items: `data` ends with a null pointer, and `len` has the length of each.
    private static func copyRecords(of result: ub_result) -> [[UInt8]]? {
        var records: [[UInt8]] = []
        guard let data = unsafe result.data, let lengths = unsafe result.len else { return records }
        while let item = unsafe data[records.count] {
            guard records.count < UnboundContext.maximumRecords else { return nil }
            let length = unsafe Int(lengths[records.count])
            records.append(unsafe Array(UnsafeRawBufferPointer(start: item, count: max(0, length))))
        }
        return records
    }
}
