import Foundation
import MailDNS
import MailSyntax
import Synchronization
import TestKit
import Testing
import Threads

@Suite struct PendingAnswerTests {
    @Test func firstAnswerWins() {
        let pending = PendingAnswer(deadline: .now() + 5)
        #expect(pending.poll() == nil)
        pending.fulfil(.noData(.secure))
        pending.fulfil(.nameError(.insecure))
        #expect(pending.poll() == .noData(.secure))
        #expect(pending.wait() == .noData(.secure))
    }

    @Test func everyWaitingThreadIsWoken() {
        let pending = PendingAnswer(deadline: .now() + 20)
        let answers = Mutex<[DNSAnswer]>([])
        let group = DispatchGroup()
        for _ in 0..<8 {
            group.enter()
            Thread.detachNewThread {
                let answer = pending.wait()
                answers.withLock { $0.append(answer) }
                group.leave()
            }
        }
        Thread.sleep(forTimeInterval: 0.02)
        pending.fulfil(.nameError(.insecure))
        #expect(group.wait(timeout: .now() + 10) == .success)
        #expect(answers.withLock { $0 } == Array(repeating: .nameError(.insecure), count: 8))
    }

    @Test func theDeadlineEndsAWaitAndCancelsOnce() {
        let cancels = Mutex(0)
        let start = MonotonicTime.now()
        let pending = PendingAnswer(deadline: start + 0.05) { cancels.withLock { $0 += 1 } }
        #expect(pending.wait() == .failure(.timeout))
        let taken = MonotonicTime.now().seconds(since: start)
        #expect(taken >= 0.05 && taken < 1)
        pending.cancel()
        pending.fulfil(.noData(.insecure))
        #expect(pending.wait() == .failure(.timeout))
        #expect(cancels.withLock { $0 } == 1)
    }

    @Test func pollingPastTheDeadlineIsATimeout() {
        #expect(PendingAnswer(deadline: .now()).poll() == .failure(.timeout))
    }

    @Test func observersAreToldOnce() {
        let seen = Mutex<[DNSAnswer]>([])
        let pending = PendingAnswer(deadline: .now() + 5)
        pending.observe { answer in seen.withLock { $0.append(answer) } }
        pending.fulfil(.noData(.insecure))
        pending.observe { answer in seen.withLock { $0.append(answer) } }
        #expect(seen.withLock { $0.count } == 2)
    }

    @Test func momentsNeitherTrapNorWrap() {
        let now = MonotonicTime.now()
        #expect(now + .infinity > now)
        #expect(now + .nan == now)
        #expect(now + -1 == now)
        #expect(MonotonicTime.distantFuture + 1 == .distantFuture)
        #expect((now + 1.5).nanoseconds - now.nanoseconds == 1_500_000_000)
    }

    @Test func recordingRemembersQuestionsAndAnswers() throws {
        let recorder = RecordingResolver(try ZoneResolver(parsing: "a.example. A 192.0.2.1"))
        let questions = try ["a.example A", "a.example MX"].map { try DNSQuestion.test($0) }
        for question in questions { _ = recorder.resolve(question, deadline: .now() + 1) }
        #expect(recorder.entries.map(\.question) == questions)
        #expect(recorder.entries.map { $0.answer?.line } == ["192.0.2.1", "NODATA"])
        #expect(recorder.entries.allSatisfy { ($0.seconds ?? -1) >= 0 })
    }
}
