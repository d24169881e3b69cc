/// What connections may use, and how long they may take; times are in seconds.
package struct ConnectionLimits: Sendable {
    /// Connections at a time; more wait in the listening sockets' queues.
    package var connections = 4_096
    /// Threads at a time that serve or wait; beyond it, connections wait for one that becomes free.
    package var threads = 1_024
    /// Octets that all handlers and all unsent output together may hold; the connection that
    /// exceeds it is closed.
    package var bufferedOctets = 256 << 20
    /// How long a peer may stay silent when nothing is under way.
    package var idleSeconds = Double.infinity
    /// How long a peer may take for the next step of what is under way, or for its first one.
    package var busySeconds = 7_210.0
    /// How long a peer may take to read the output of one step.
    package var writeSeconds = 30.0
    /// How long a drain waits for what is under way.
    package var drainSeconds = 80.0
    /// How long a drain waits for the first step of a connection that is new.
    package var drainNewSeconds = 1.0
    /// How long a drain waits for the next step of a connection that is busy, at most.
    package var drainBusySeconds = Double.infinity

    /// The defaults.
    package init() {}
}

extension ConnectionLimits {
    /// How long a connection may wait for what it waits for.
    func seconds(for connection: Connection, isDraining: Bool) -> Double {
        if case .room = connection.wait { return writeSeconds }
        return switch connection.state {
        case .new: isDraining ? min(busySeconds, drainNewSeconds) : busySeconds
        case .idle: idleSeconds
        case .busy: isDraining ? min(busySeconds, drainBusySeconds) : busySeconds
        }
    }

    /// How often the time limits are looked at: short ones, as tests have them, more often.
    var checkInterval: Double {
        max(0.01, min(1, min(idleSeconds, busySeconds, writeSeconds) / 4))
    }

    /// The same during a drain.
    var drainCheckInterval: Double {
        max(0.01, min(checkInterval, min(drainNewSeconds, drainBusySeconds) / 4))
    }
}
