extension DovecotInstance {
    /// The text of dovecot.conf, in the syntax of the Dovecot that is installed.
    func text() throws -> String {
        let version = try Command.require("/usr/sbin/dovecot", ["--version"])
        let isOld = version.hasPrefix("2.3.")
        return (isOld ? oldSettings : newSettings) + services + configuration.extra
    }

    /// What Dovecot 2.3, Debian 12's, writes in its own way.
    private var oldSettings: String {
        var text = """
            disable_plaintext_auth = no
            mail_location = maildir:~/Maildir
            passdb {
              driver = passwd-file
              args = \(directory.path)/passwd
            }
            userdb {
              driver = static
              args = uid=mail gid=mail home=\(directory.path)/mail/%u
            }

            """
        if let (certificate, key) = configuration.certificate {
            text += "ssl_cert = <\(certificate)\nssl_key = <\(key)\n"
        }
        return text
    }

    /// The same as Dovecot 2.4, Debian 13's, wants it: the versions come before all else.
    private var newSettings: String {
        var text = """
            dovecot_config_version = 2.4.1
            dovecot_storage_version = 2.4.1
            auth_allow_cleartext = yes
            mail_driver = maildir
            mail_path = ~/Maildir
            passdb passwd-file {
              passwd_file_path = \(directory.path)/passwd
            }
            userdb static {
              fields {
                uid = mail
                gid = mail
                home = \(directory.path)/mail/%{user}
              }
            }

            """
        if let (certificate, key) = configuration.certificate {
            text += "ssl_server_cert_file = \(certificate)\nssl_server_key_file = \(key)\n"
        }
        return text
    }

    /// What both understand.
    private var services: String {
        let relay = configuration.submissionRelayPort
        var text = """
            base_dir = \(directory.path)/run
            state_dir = \(directory.path)/state
            log_path = \(directory.path)/log
            protocols = imap lmtp\(relay == nil ? "" : " submission")
            listen = 127.0.0.1
            hostname = \(configuration.hostName)
            instance_name = \(directory.path)
            ssl = \(configuration.certificate == nil ? "no" : "yes")
            auth_mechanisms = plain login
            first_valid_uid = 1
            first_valid_gid = 1
            service imap-login {
              inet_listener imap {
                port = \(imapPort)
              }
              inet_listener imaps {
                port = 0
              }
            }
            service lmtp {
              inet_listener lmtp {
                port = \(lmtpPort)
              }
            }

            """
        if let relay {
            text += """
                submission_relay_host = 127.0.0.1
                submission_relay_port = \(relay)
                submission_relay_trusted = \(configuration.isRelayTrusted ? "yes" : "no")
                service submission-login {
                  inet_listener submission {
                    port = \(submissionPort)
                  }
                  inet_listener submissions {
                    port = 0
                  }
                }

                """
        }
        if let postfix = configuration.authenticatedPostfix {
            text += """
                service auth {
                  unix_listener \(postfix.queueDirectory)/private/auth {
                    mode = 0660
                    user = postfix
                    group = postfix
                  }
                }

                """
        }
        return text
    }
}
