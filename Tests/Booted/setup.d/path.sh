# shellcheck shell=bash disable=SC2154
# The path itself. What is printed on the way is kept for the transcript.
#
# Sourced by Tests/Booted/setup.

# said STATUS ARGUMENT...: runs signet, expects the status, and adds all to the transcript.
said() {
    local expected=$1 status
    shift
    printf '$ signet %s\n' "$*" >>"$scratch/transcript"
    signet "$@" >"$scratch/said"
    status=$?
    cat "$scratch/said" >>"$scratch/transcript"
    printf '(status %s)\n\n' $status >>"$scratch/transcript"
    [ $status -eq "$expected" ] ||
        { cat "$scratch/said" >&2; fail "signet $* ends with $status in place of $expected"; }
}

preview_changes_nothing() {
    said 0 setup example.org
    is_as_before || fail 'setup without --apply changes something'
    inside test -e /var/lib/signet/setup && fail 'setup without --apply writes a journal'
    step 'setup shows what it would do, and does nothing'
}

setup_applies() {
    said 0 setup example.org --apply --yes
    cp "$scratch/said" "$scratch/applied"
    grep -q '^doctor: this host  ✔ nothing is wrong' "$scratch/applied" ||
        fail 'the doctor finds fault with the host that was set up'
    # The records are not published yet.
    grep -q '^doctor: the DNS    ✘ ' "$scratch/applied" || fail 'the doctor does not miss the records'
    inside systemctl --quiet is-failed 'signet*' 'postfix*' && fail 'a service has failed'
    [ "$(inside stat -c '%a %U' /etc/signet/keys/example.org/mail.private)" = '600 signet-dkim' ] ||
        fail 'a key has other rights'
    step 'setup --apply makes the changes, and the services have taken them up'
}

# The lines go into the zones as they are printed.
records_are_published() {
    sed -n '/^Publish, as lines of a zone file:/,/^The same for/p' "$scratch/applied" | sed '1d;$d' \
        >"$scratch/records"
    grep -F .arpa. "$scratch/records" >>"$(outside_path /etc/nsd/root.zone)"
    grep -vF .arpa. "$scratch/records" >>"$(outside_path /etc/nsd/example.org.zone)"
    inside nsd-checkzone . /etc/nsd/root.zone >&2 || fail 'the PTR records are no zone text'
    inside nsd-checkzone example.org /etc/nsd/example.org.zone >&2 || fail 'the records are no zone text'
    inside systemctl restart nsd
    step 'the printed records are published as they are'
}

doctor_is_content() {
    said 0 doctor example.org
    said 0 key check -s mail -d example.org /etc/signet/keys/example.org/mail.private
    step 'the doctor finds nothing wrong'
}

# submit NAME: ann sends a message to bob over the submission service, with a login over TLS.
submit() {
    inside python3 - "$1" <<'END'
import smtplib, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
with smtplib.SMTP("127.0.0.1", 587, local_hostname="laptop.lan") as client:
    client.starttls(context=context)
    client.login("ann", "secret")
    client.sendmail("ann@example.org", ["bob@example.org"], f"""\
From: Ann <ann@example.org>\r
To: bob@example.org\r
Subject: {sys.argv[1]}\r
Date: Fri, 27 Nov 2026 12:00:00 +0000\r
Message-ID: <{sys.argv[1]}@example.org>\r
User-Agent: Laptop/1\r
\r
Good morning, Bob.\r
""")
END
}

# delivered SUBJECT: prints the file of the message in bob's mailbox, once it is there.
delivered() {
    local file
    file=$(inside grep -rlsx "Subject: $1" /home/bob/Maildir/new) || return 1
    printf '%s\n' "$file" >"$scratch/delivered"
}

# arrives SUBJECT: waits until the message is in the mailbox.
arrives() {
    eventually delivered "$1" || {
        inside journalctl --quiet --no-pager -n 40 >&2
        fail "$1 is not delivered"
    }
    file=$(cat "$scratch/delivered")
}

mail_is_signed_and_verified() {
    local file index
    submit submitted || fail 'a user cannot send'
    arrives submitted
    # dkimpy reads the keys from the DNS of this host.
    for index in 0 1; do
        inside sh -c "dkimverify --index $index <$file" >"$scratch/verified" 2>&1
        grep -qx 'signature ok' "$scratch/verified" ||
            { cat "$scratch/verified" >&2; inside cat "$file" >&2; fail "dkimpy refuses signature $index"; }
    done
    inside grep -q -e laptop -e Laptop -e 127.0.0.1 "$file" && fail 'the message tells of its sender'
    inside signet check "$file" >"$scratch/check" || fail 'signet check does not evaluate'
    inside sh -c "printf 'From: root@example.org\nTo: bob@example.org\nSubject: cron\n\nDone.\n' |
        sendmail -t" || fail 'sendmail does not take mail'
    arrives cron
    inside sh -c "dkimverify <$file" | grep -qx 'signature ok' || fail 'mail of a program is not signed'
    inside sh -c "printf 'From: root@example.org\nTo: dmarc-reports@example.org\nSubject: report\n\n.\n' |
        sendmail -t"
    eventually inside grep -rqsx 'Subject: report' /root/Maildir/new ||
        fail 'the mailbox for reports takes no mail'
    step 'mail of users and programs is signed, and dkimpy verifies both signatures'
}

second_setup_changes_nothing() {
    configuration >"$scratch/once"
    said 0 setup example.org --apply --yes
    grep -q '^doctor: the DNS    ✔ nothing is wrong' "$scratch/said" ||
        fail 'the doctor finds fault with published records'
    diff "$scratch/once" <(configuration) >&2 || fail 'a second setup changes something'
    step 'a second setup changes nothing'
}

undo_leaves_everything_as_it_was() {
    said 0 setup --undo --yes
    is_as_before || fail 'something is not as it was before'
    said 0 setup --undo --yes
    submit undone || fail 'a user cannot send after --undo'
    arrives undone
    inside grep -q '^DKIM-Signature:' "$file" && fail 'mail is still signed'
    step 'undone: everything is byte for byte as it was'
}

# What differs from run to run: keys, and what the clock says.
masked() {
    sed -E -e 's/p=MI[A-Za-z0-9+\/=]+/p=RSA/g' -e 's/p=[A-Za-z0-9+\/]{43}=/p=ED25519/g' \
        -e 's/^\t"[A-Za-z0-9+\/=]+" \)$/\t"REST" )/' "$scratch/transcript"
}

transcript_is_golden() {
    local golden=Tests/Booted/setup.d/$machine_release.txt
    if [ "${SIGNET_RECORD:-}" = yes ]; then masked >"$golden"; fi
    diff "$golden" <(masked) >&2 || fail "what is printed is not what $golden has"
    step "what was printed is what $golden has"
}
