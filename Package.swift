// swift-tools-version: 6.3
import PackageDescription

/// The settings every target of ours is built with: one list, so that no room is laxer than another.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "signet",
    targets: [
        .target(name: "MailSyntax", swiftSettings: strict)
    ]
)
