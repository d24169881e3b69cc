import ConnectionServer
import Glibc
import Testing
import Threads

@Suite struct DescriptorTests {
    /// In a process of its own, whose other tests need descriptors too.
    @Test(arguments: Address.kinds)
    func outlivesTheLackOfDescriptors(_ kind: Address.Kind) async {
        switch kind {
        case .unix:
            await #expect(processExitsWith: .success) { try exhaustDescriptors(.unix) }
        case .tcp:
            await #expect(processExitsWith: .success) { try exhaustDescriptors(.tcp) }
        }
    }
}

/// Takes all descriptors from a server, and gives them back.
private func exhaustDescriptors(_ kind: Address.Kind) throws {
    let server = try LineServer([kind])
    let served = try server.client()
    try served.send("before\n")
    #expect(try served.readLine() == "before")
    let sockets = (0..<3).map { _ in server.addresses[0].makeSocket() }

    var limit = rlimit(rlim_cur: 128, rlim_max: 128)
    #expect(unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
    var taken: [Int32] = []
    while case let descriptor = dup(sockets[0]), descriptor >= 0 { taken.append(descriptor) }
    for socket in sockets { try server.addresses[0].connect(socket) }

    #expect(server.wait { !$0.problems.isEmpty })
    let used = processSeconds()
    sleep(1)
    // A server that tries again at once uses all of that second, or all that the machine gives it.
    #expect(processSeconds() - used < 0.2)
    let problems = server.counts.withLock { $0.problems }
    #expect(problems.count == 1)
    #expect(problems[0].hasPrefix("no connection can be accepted, others wait: "))
    try served.send("meanwhile\n")
    #expect(try served.readLine() == "meanwhile")

    for descriptor in taken { close(descriptor) }
    for (number, socket) in sockets.enumerated() {
        let client = Client(taking: socket)
        try client.send("after \(number)\n")
        #expect(try client.readLine() == "after \(number)")
    }
}

/// The processor time of this process so far.
private func processSeconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
