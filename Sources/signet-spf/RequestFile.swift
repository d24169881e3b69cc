import Configuration
import DaemonKit
import Glibc

/// A file of requests, as Postfix sends them, which `-t` answers on standard output.
struct RequestFile {
    let path: String

    /// Answers every request of the file.
    func answer(_ services: Services) -> ExitCode {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            services.log.error("\(path) cannot be read: \(SystemError.last)")
            return .noInput
        }
        defer { close(descriptor) }
        let connection = PolicyConnection(services)
        var buffer = [UInt8](repeating: 0, count: 4_096)
        var output: [UInt8] = []
        var count = unsafe read(descriptor, &buffer, buffer.count)
        while count > 0 {
            _ = connection.receive(buffer.span.extracting(first: count), output: &output)
            Self.write(&output)
            count = unsafe read(descriptor, &buffer, buffer.count)
        }
        connection.finish(output: &output)
        Self.write(&output)
        return .ok
    }

    private static func write(_ output: inout [UInt8]) {
        _ = unsafe Glibc.write(1, output, output.count)
        output = []
    }
}
