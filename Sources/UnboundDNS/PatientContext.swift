internal import MailDNS
internal import Threads

/// The context of libunbound for what is asked again, made when it is first needed: most servers answer within a second.
final class PatientContext: Sendable {
    private enum State {
        case unmade
        case made(UnboundContext)
        /// It cannot be made any more, as the files that it reads are out of reach, say, or is closed.
        case missing(String)
    }

    private let options: UnboundResolver.Options
    private let state = Locked(State.unmade)

    init(_ options: UnboundResolver.Options) { self.options = options }

    /// Starts a query, as `UnboundContext.start` does.
    ///
    /// - Returns: why it was not started; nil if it was.
    func start(_ query: UnboundQuery) -> String? {
        let (context, reason) = state.withLock { state -> (UnboundContext?, String) in
            if case .unmade = state {
                do throws(UnboundResolver.SetupError) {
                    state = .made(try UnboundResolver.makeContext(options, .patient))
                } catch {
                    state = .missing(error.description)
                }
            }
            return switch state {
            case .made(let context): (context, "")
            case .missing(let reason): (nil, reason)
            case .unmade: (nil, "")
            }
        }
        guard let context else { return reason }
        do throws(UnboundError) {
            try context.start(query)
        } catch {
            return error.description
        }
        return nil
    }

    /// Readable when `process()` has something to do; -1, for which poll(2) does not wait, while there is no context.
    var fileDescriptor: Int32 { made?.fileDescriptor ?? -1 }

    /// Runs the completions of the queries whose replies are there, on this thread.
    func process() { made?.process() }

    /// Frees the context: completions that have not run never will.
    func close() {
        state.withLock { state in
            if case .made(let context) = state { context.close() }
            state = .missing("the resolver was closed")
        }
    }

    private var made: UnboundContext? {
        state.withLock { if case .made(let context) = $0 { context } else { nil } }
    }
}
