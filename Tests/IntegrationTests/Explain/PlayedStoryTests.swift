import Foundation
import TestKit
import Testing

/// The table of messages beside this file, played through a real Postfix and Dovecot with all daemons.
@Suite(.serialized)
struct PlayedStoryTests {
    @Test func everyStoryIsAnsweredByEveryName() throws {
        let stories = PlayedStory.all
        #expect(stories.count >= 40)
        #expect(Set(stories.map(\.name)).count == stories.count)
        let host = try ExplainHost(isWhole: true)
        for story in stories {
            for words in story.first { try host.perform(words, about: story) }
            let reply = try host.play(story)
            #expect(reply.map { $0.code == story.code } ?? true, "\(story.name): \(reply as Any)")
            for words in story.then { try host.perform(words, about: story) }
        }
        let time = TimeOfDay.text(Date())
        var asked: Set<ExplainHost.Kind> = []
        var patience = 15.0
        for story in stories {
            for question in host.questions(about: story, at: time) {
                let sentence = try host.sentence(
                    question, patience: patience, until: story.isAnswered)
                // What is put off is tried again within seconds; what is wrong stays wrong.
                if !story.isAnswered(by: sentence) { patience = 0.1 }
                #expect(
                    story.isAnswered(by: sentence),
                    "\(story.name), asked by \(question.arguments): \(sentence)")
                asked.insert(question.kind)
            }
        }
        #expect(asked == Set(ExplainHost.Kind.allCases))
        try stoppedMailIsListed(host, stories)
    }

    /// What did not go on, as `--refused` lists it.
    private func stoppedMailIsListed(_ host: ExplainHost, _ stories: [PlayedStory]) throws {
        let list = try host.signet(["explain", "--refused", "--since", "1h"]).output
        let ends = ["Refused by signet-", "Deferred by signet-", "Discarded", "Quarantined"]
        for story in stories where ends.contains(where: story.answer.hasPrefix) {
            #expect(list.contains(story.recipient), "\(story.name): \(list)")
        }
    }
}

/// A moment as `--at` takes it.
private enum TimeOfDay {
    static func text(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm"
        return formatter.string(from: date)
    }
}
