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
        var decoder = RequestDecoder()
        var memory = ConnectionMemory()
        var buffer = [UInt8](repeating: 0, count: 4_096)
        var count = unsafe read(descriptor, &buffer, buffer.count)
        while count > 0 {
            decoder.append(buffer[..<count])
            Self.write(&decoder, &memory, services)
            count = unsafe read(descriptor, &buffer, buffer.count)
        }
        // The last request of a file made by hand may lack its empty line.
        if decoder.isInsideRequest {
            decoder.append([0x0A, 0x0A])
            Self.write(&decoder, &memory, services)
        }
        return .ok
    }

    private static func write(
        _ decoder: inout RequestDecoder, _ memory: inout ConnectionMemory, _ services: Services
    ) {
        let configuration = services.configuration.current
        while let outcome = decoder.next() {
            let answer =
                switch outcome {
                case .request(let request):
                    services.engine.answer(request, &memory, configuration)
                case .fault(let fault): PolicyAnswer(refusing: fault, configuration)
                }
            for line in answer.lines {
                services.log.log(line.isError ? .warning : .info, line.text)
            }
            let text = answer.action.answer
            _ = unsafe Glibc.write(1, text, text.count)
        }
    }
}
