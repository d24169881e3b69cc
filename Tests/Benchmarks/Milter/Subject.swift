internal import TestKit

/// A filter under measurement, running, with the mail that it gets.
struct Subject {
    /// What the table calls it.
    let name: String
    /// Its Unix socket.
    let socket: String
    /// Its process.
    let meter: ProcessMeter
    /// The mail that it gets.
    let mail: Transcript.Mail
    /// What its answer must contain: without it there is nothing to measure.
    let proof: String?
    /// What keeps it alive.
    let owner: AnyObject

    /// Looks for the proof of work in an answer.
    func check(_ answer: [UInt8]) throws {
        guard let proof else { return }
        let text = String(decoding: answer, as: UTF8.self)
        guard text.contains(proof) else {
            throw TestKitError("\(name) did not do its work: \(text.debugDescription)")
        }
    }

    /// The CPU time of each of `count` messages, in microseconds.
    func cost(of count: Int, connections: Int = 8) throws -> Double {
        let before = try meter.cpuMicroseconds
        try Load.deliver(count, to: self, connections: connections)
        return (try meter.cpuMicroseconds - before) / Double(count)
    }

    /// The CPU time of each of `count` messages that come on connections of their own, in microseconds.
    func cost(of count: Int, by visits: Visits) throws -> Double {
        let before = try meter.cpuMicroseconds
        try visits.run(self)
        return (try meter.cpuMicroseconds - before) / Double(count)
    }

    /// The same filter with other mail.
    func with(_ message: MailMessage) -> Subject {
        var mail = mail
        mail.message = message
        return Subject(
            name: name, socket: socket, meter: meter, mail: mail, proof: proof, owner: owner)
    }

    /// A program that has just been started: waits until it listens and has handled some mail, so that caches are warm and keys known.
    static func started(
        _ name: String, _ socket: String, _ owner: AnyObject, pid: Int32, _ mail: Transcript.Mail,
        _ proof: String?
    ) throws -> Subject {
        let subject = Subject(
            name: name, socket: socket, meter: ProcessMeter(pid: pid), mail: mail, proof: proof,
            owner: owner)
        let ready = try wait(for: "\(name) to listen") {
            try? LoopbackSocket.connect(path: socket)
        }
        ready.shut()
        try Load.deliver(100, to: subject)
        return subject
    }
}
