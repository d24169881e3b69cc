internal import MailSyntax

/// Lets through what an MTA sends as far as each frame is whole and well formed, for a reader that
/// does not check.
///
/// The form of frames counts, not their order, which is the reader's to judge.
///
/// Trust: any octets. What is kept is never more than one frame that is not complete, and what
/// came with it in one read.
package struct FrameGuard: ~Copyable {
    /// What follows after octets have been taken.
    package enum Step: Equatable, Sendable {
        /// More may come.
        case goOn
        /// The MTA has taken its leave; what it still sends is for nobody.
        case quit
        /// The connection is to be closed, when the answer has been sent.
        case refuse(answer: [UInt8])
    }

    private let service: MilterService
    private var decoder = FrameDecoder()
    private var isFirst = true

    /// Begins a connection; faults are reported to the service as its own transport reports them.
    package init(_ service: MilterService) {
        self.service = service
    }

    /// Takes what has arrived, and appends the frames that may pass to `frames`.
    package mutating func receive(_ input: Span<UInt8>, frames: inout [UInt8]) -> Step {
        var (isFirst, hasQuit) = (isFirst, false)
        do throws(MilterFault) {
            try decoder.decode(input) { (letter, data) throws(MilterFault) in
                guard !hasQuit else { return }
                let command = try MilterCommand(letter: letter)
                try CommandData.check(data, of: command)
                ReplyEncoder.append(letter, data, to: &frames)
                isFirst = false
                hasQuit = command == .quit
            }
        } catch {
            if !hasQuit { return .refuse(answer: service.answer(to: error, isFirst: isFirst)) }
        }
        self.isFirst = isFirst
        return hasQuit ? .quit : .goOn
    }
}
