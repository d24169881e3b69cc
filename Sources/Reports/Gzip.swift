internal import CZlib

/// Compression as reports are sent (RFC 1952), the same octets for the same contents.
public enum Gzip {
    /// The octets as one gzip member.
    public static func compressed(_ octets: [UInt8]) throws(ReportError) -> [UInt8] {
        var stream = unsafe z_stream()
        guard unsafe signet_deflate_gzip(&stream) == Z_OK,
            let count = UInt32(exactly: octets.count)
        else { throw ReportError("the report could not be compressed") }
        defer { unsafe deflateEnd(&stream) }
        let room = unsafe Int(deflateBound(&stream, UInt(count)))
        var octets = octets
        var output = [UInt8](repeating: 0, count: room)
        let status = unsafe octets.withUnsafeMutableBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe stream.next_in = input.baseAddress
                unsafe stream.avail_in = count
                unsafe stream.next_out = output.baseAddress
                unsafe stream.avail_out = UInt32(clamping: output.count)
                return unsafe deflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END else {
            throw ReportError("the report could not be compressed")
        }
        output.removeLast(unsafe Int(stream.avail_out))
        return output
    }
}
