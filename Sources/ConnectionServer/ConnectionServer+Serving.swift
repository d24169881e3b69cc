import Threads

extension ConnectionServer {
    /// Reads in a row before the connection goes back to the end of the queue.
    private static let mostReads = 16

    /// Reads and answers until there is nothing to read.
    func serve(
        _ connection: Connection, _ input: inout [UInt8], _ output: inout [UInt8]
    ) -> ServerState.NextStep {
        if let expiry = connection.expiry { return expire(connection, expiry) }
        if case .room(let thenClose) = connection.wait {
            switch connection.writeUnsent() {
            case .broken: return end(connection)
            case .partly: return park(connection)
            case .completely where thenClose: return finish(connection)
            case .completely: break
            }
        }
        for _ in 0..<Self.mostReads {
            let count: Int
            switch connection.read(into: &input) {
            case .octets(let octets): count = octets
            case .nothing: return park(connection)
            case .closed: return end(connection)
            }
            output.removeAll(keepingCapacity: output.capacity <= Self.readSize)
            let step = connection.receive(input.span.extracting(first: count), output: &output)
            guard let sent = connection.write(output.span) else { return end(connection) }
            if sent < output.count {
                connection.keepUnsent(Array(output[sent...]), thenClose: step == .close)
                return park(connection)
            }
            // Whoever takes leave without waiting for an answer misses nothing.
            if step == .close { return output.isEmpty ? end(connection) : finish(connection) }
            // Less than there was room for: there is no more, as a rule.
            if count < input.count { return park(connection) }
        }
        return park(connection)
    }

    /// Gives a connection back to the table, and has it watched again.
    private func park(_ connection: Connection) -> ServerState.NextStep {
        let octets = connection.heldOctets
        let interest: Poller.Interest = if case .room = connection.wait { .room } else { .input }
        let next = state.withLock { state in
            state.park(connection, holding: octets, mostOctets: limits.bufferedOctets)
                ? state.nextStep() : nil
        }
        guard let next else {
            problems.report(
                .memory,
                "connections hold \(limits.bufferedOctets) octets, the limit: one is closed")
            return end(connection)
        }
        // In the table, the connection may be another thread's.
        if !poller.renew(connection.descriptor, id: connection.id, for: interest) {
            abandon(connection.id)
        }
        return next
    }

    /// Ends a connection that exceeded a limit, as `keepLimits` found.
    private func expire(
        _ connection: Connection, _ expiry: Connection.Expiry
    ) -> ServerState.NextStep {
        guard case .late(let seconds) = expiry else { return end(connection) }
        if case .room = connection.wait {
            problems.report(
                .slowReader,
                "a client did not take its answer in \(Int(seconds)) s: its connection is closed")
            return end(connection)
        }
        guard connection.state == .busy else { return end(connection) }
        var output: [UInt8] = []
        connection.handler.timeLimitPassed(output: &output)
        _ = connection.write(output.span)
        return finish(connection)
    }

    /// Ends a connection whose output has been written.
    private func finish(_ connection: Connection) -> ServerState.NextStep {
        connection.finishWriting()
        return end(connection)
    }

    /// Ends a connection that this thread has.
    private func end(_ connection: Connection) -> ServerState.NextStep {
        connection.close()
        forget(connection)
        return state.withLock { $0.nextStep() }
    }

    /// Ends a connection that could not be watched, unless another thread has taken it.
    func abandon(_ id: UInt64) {
        guard let connection = state.withLock({ $0.parked.removeValue(forKey: id) }) else { return }
        connection.close()
        forget(connection)
    }

    /// Takes a closed connection off the accounts, and accepts again where that waited for it.
    private func forget(_ connection: Connection) {
        change { state in
            state.forget(connection)
            resumeListeners(&state)
        }
    }
}
