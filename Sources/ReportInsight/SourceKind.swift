/// What a source of mail is, as far as it can be told.
package enum SourceKind: String, CaseIterable, Sendable {
    /// A host of ours.
    case own
    /// A host that our SPF record allows.
    case spf
    /// A service that is known to send for others.
    case provider
    /// A host that passes mail on: signatures pass, and SPF is that of somebody else.
    case forwarder
    /// A host with a name that its address confirms.
    case host
    /// An address alone.
    case unknown

    /// Words for people.
    package var words: String {
        switch self {
        case .own: "our own host"
        case .spf: "in our SPF record"
        case .provider: "known provider"
        case .forwarder: "forwards mail"
        case .host: "named host"
        case .unknown: "unknown"
        }
    }
}

/// Services that send or forward for others, known by the domain that their hosts' names or their SPF records are in.
enum KnownProviders {
    private static let names: [String: String] = [
        "google.com": "Google", "googlemail.com": "Google", "gmail.com": "Google",
        "outlook.com": "Microsoft 365", "microsoft.com": "Microsoft 365",
        "hotmail.com": "Microsoft 365", "amazonses.com": "Amazon SES",
        "amazonaws.com": "Amazon Web Services", "sendgrid.net": "SendGrid",
        "mailgun.net": "Mailgun", "mailgun.org": "Mailgun", "mcsv.net": "Mailchimp",
        "mcdlv.net": "Mailchimp", "rsgsv.net": "Mailchimp", "mandrillapp.com": "Mandrill",
        "postmarkapp.com": "Postmark", "mtasv.net": "Postmark", "sparkpostmail.com": "SparkPost",
        "mailjet.com": "Mailjet", "sendinblue.com": "Brevo", "brevo.com": "Brevo",
        "zendesk.com": "Zendesk", "salesforce.com": "Salesforce",
        "exacttarget.com": "Salesforce", "hubspotemail.net": "HubSpot",
        "hubspot.com": "HubSpot", "freshdesk.com": "Freshdesk", "zoho.com": "Zoho",
        "zohomail.com": "Zoho", "yahoo.com": "Yahoo", "yahoodns.net": "Yahoo",
        "aol.com": "Yahoo", "fastmail.com": "Fastmail", "messagingengine.com": "Fastmail",
        "protonmail.ch": "Proton", "proton.ch": "Proton", "gmx.net": "GMX and WEB.DE",
        "web.de": "GMX and WEB.DE", "kundenserver.de": "IONOS", "ionos.com": "IONOS",
        "ovh.net": "OVH", "mailchannels.net": "MailChannels", "mimecast.com": "Mimecast",
        "pphosted.com": "Proofpoint", "ppe-hosted.com": "Proofpoint",
        "messagelabs.com": "Symantec", "barracudanetworks.com": "Barracuda",
        "icloud.com": "Apple iCloud", "apple.com": "Apple iCloud", "mail.ru": "Mail.ru",
        "yandex.net": "Yandex", "yandex.ru": "Yandex", "qq.com": "Tencent", "163.com": "NetEase",
        "secureserver.net": "GoDaddy", "emailsrvr.com": "Rackspace",
        "simplelogin.co": "SimpleLogin", "forwardemail.net": "Forward Email",
        "improvmx.com": "ImprovMX", "pobox.com": "Pobox", "groups.io": "Groups.io",
    ]

    /// The provider that a domain is of.
    static func name(of domain: String) -> String? {
        var rest = domain[...]
        while !rest.isEmpty {
            if let name = names[String(rest)] { return name }
            guard let dot = rest.firstIndex(of: ".") else { return nil }
            rest = rest[rest.index(after: dot)...]
        }
        return nil
    }
}
