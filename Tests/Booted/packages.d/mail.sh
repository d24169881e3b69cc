# shellcheck shell=bash disable=SC2154
# Mail through the installed daemons: signing, verifying, refusing, and what may go wrong meanwhile.
#
# Sourced by Tests/Booted/packages.

outsider=192.0.2.9
tools=Tests/Booted/packages.d
knockers=()

# mail ARGUMENT...: a mail client of this side in the machine's network.
mail() {
    timeout 300 nsenter --target "$machine_leader" --net python3 "$tools/mail.py" "$@"
}

maildir() { outside_path /home/bob/Maildir; }

postfix_gets_the_printed_lines() {
    inside useradd --create-home bob || fail 'there is no mailbox'
    grep '^    ' <<<"$transcript" | sed 's/^    //' >>"$(outside_path /etc/postfix/main.cf)"
    inside postconf -e home_mailbox=Maildir/ || fail 'Postfix does not understand the printed lines'
    inside postfix reload 2>/dev/null || fail 'Postfix does not reload'
    [ "$(inside postconf -F smtp/inet/chroot)" = 'smtp/inet/chroot = y' ] ||
        fail "Debian's smtpd is not chrooted"
}

# queue_is_empty: waits until all mail is delivered.
queue_is_empty() {
    local attempt
    for attempt in $(seq 300); do
        [ -z "$(inside find /var/spool/postfix/incoming /var/spool/postfix/active -type f)" ] && return
        sleep 0.1
    done
    fail 'mail stays in the queue'
}

# arrived PREFIX COUNT ours|theirs: waits until the messages are in the mailbox, and looks whether they
# are whole: ours signed and scrubbed, theirs neither.
arrived() {
    local signatures=0 agents=1
    if [ "$3" = ours ]; then signatures=2 agents=0; fi
    queue_is_empty
    mail box "$(maildir)" "$1" "$2" "$signatures" "$agents" ||
        { postfix_log | tail -n 20 >&2; fail "$1: mail is not as it should be"; }
}

# results_say RESULT: whether a message in the mailbox has it in a results field of ours.
results_say() {
    # Read to the end, here and wherever a pipe is looked through: a pipe closed early is a failure.
    grep -A9 -rhs "^Authentication-Results: $(inside postconf -h myhostname)" "$(maildir)/new" |
        grep --fixed-strings "$1" >/dev/null
}

# postfix_log [OPTION...]: what Postfix has logged, with these options of journalctl.
#
# Debian 12 runs Postfix in an instance, Debian 13 in the unit itself.
postfix_log() {
    inside journalctl --quiet --no-pager --unit postfix@-.service --unit postfix.service "$@"
}

mail_from_outside_passes() {
    mail send outside 20 ann@example.org bob@localhost "$outsider" >"$scratch/send" ||
        { cat "$scratch/send" >&2; postfix_log | tail -n 20 >&2; fail 'mail from outside does not pass'; }
    arrived outside 20 theirs
    grep -rqs '^Received-SPF: Pass' "$(maildir)/new" || fail 'there is no Received-SPF field'
    results_say dmarc=none || fail 'there is no result of DMARC'
    step 'mail from outside is delivered through a chrooted smtpd'
}

make_key_and_sign() {
    local line
    as_readme_says "$first_steps" 'signet key new' >"$scratch/key" || fail 'no keys are made'
    [ "$(inside stat -c '%a %U' /etc/signet/keys/example.org/mail.private)" = '600 signet-dkim' ] ||
        fail 'a key has other rights'
    inside sh -c 'cat /etc/signet/keys/example.org/*.txt >>/etc/nsd/names'
    inside systemctl restart nsd
    eventually as_readme_says "$first_steps" 'signet key check' >/dev/null ||
        fail 'the DNS has other keys'
    # "Uncomment these lines, with your domain."
    inside sed -i 's/example\.com/example.org/' /etc/signet/dkim.conf
    while read -r line; do
        inside grep -qxF "#$line" /etc/signet/dkim.conf || fail "dkim.conf has no line to uncomment: $line"
        inside sed -i "s,^#$line\$,$line," /etc/signet/dkim.conf
    done < <(readme_lines "$first_steps" | grep -E '^(Domain|Selector|KeyFile)')
    as_readme_says "$first_steps" 'signet-dkim -n|systemctl reload' ||
        fail 'signet-dkim does not take the key'
    echo 'InternalHosts 127.0.0.1' >>"$(outside_path /etc/signet/scrub.conf)"
    inside systemctl reload signet-scrub || fail 'signet-scrub does not reload'
    sign_some signed 20
    # It goes on for ever.
    inside timeout 5 sh -c "exec $(readme_commands "$first_steps" journalctl)" >"$scratch/journal"
    grep -qF 'DKIM-Signature field added' "$scratch/journal" || fail 'no signature is logged'
    inside sh -c 'signet check "$(grep -rl "^X-Test: signed.7$" /home/bob/Maildir/new)"' \
        >"$scratch/check" || fail 'signet check does not evaluate'
    [ "$(grep -c '^DKIM pass' "$scratch/check")" -eq 2 ] ||
        { cat "$scratch/check" >&2; fail 'the signatures do not verify'; }
    mail resend "$(maildir)" signed.7 returned.0 "$outsider" || fail 'signed mail does not return'
    queue_is_empty
    mail box "$(maildir)" returned 1 2 0 || fail 'signed mail does not return as it was'
    results_say dkim=pass || fail 'the signatures are not verified on their way in'
    step 'signed with both keys, verified by signet check, and on the way in'
}

# sign_some PREFIX COUNT: sends messages from this host and expects them signed.
sign_some() {
    mail send "$1" "$2" ann@example.org bob@localhost 127.0.0.1 >"$scratch/send" ||
        { cat "$scratch/send" >&2; postfix_log | tail -n 20 >&2; fail "$1: mail of ours does not pass"; }
    arrived "$1" "$2" ours
}

# refused FROM SOURCE CODE: whether a message is answered with a code that begins so.
refused() {
    mail refused "$1" bob@localhost "$2" "$3"
}

forged_mail_is_caught() {
    local attempt conf
    for attempt in 1 2 3; do
        refused mallory@forged.example "$outsider" 550 || fail 'SPF lets forged mail pass'
    done
    mail send forged 1 mallory@forged.example/ann@example.org bob@localhost "$outsider" \
        >/dev/null || fail 'DMARC rejects mail although nobody told it to'
    arrived forged 1 theirs
    results_say dmarc=fail || fail 'DMARC does not tell that mail is forged'
    as_readme_says 'Judging what comes in' journalctl | grep --fixed-strings example.org >/dev/null ||
        fail "README's search of the log does not find it"
    conf=$(outside_path /etc/signet/dmarc.conf)
    sed -i 's/^RejectFailures  .*/RejectFailures yes/' "$conf"
    inside systemctl reload signet-dmarc || fail 'signet-dmarc does not reload'
    eventually refused mallory@forged.example/ann@example.org "$outsider" 550 >/dev/null ||
        fail 'DMARC does not reject although it is told to'
    # Written within a second or two, for several at a time.
    eventually inside test -s /var/lib/signet-dmarc/reports.db || fail 'evaluations are not kept'
    step 'forged mail is refused by SPF, told by DMARC, and rejected by it when that is wanted'
}

keys_are_the_signers_alone() {
    local key=/etc/signet/keys/example.org/mail.private name user
    for user in nobody postfix bob; do
        inside runuser -u "$user" -- test -e "$key" && fail "$user sees the key"
    done
    for name in $daemons; do
        [ "$name" != dkim ] || continue
        inside runuser -u "signet-$name" -- test -e "$key" && fail "signet-$name sees the key"
        inside test -e "/proc/$(main_pid "$name")/root$key" && fail "the key is in signet-$name's view"
    done
    inside runuser -u signet-dkim -- test -r "$key" || fail 'the signer does not see the key'
}

# start_knocking: knocks at each socket until stop_knocking.
start_knocking() {
    local name kind
    knockers=()
    for name in $daemons; do
        kind=milter
        [ "$name" != spf ] || kind=policy
        python3 "$tools/knock.py" "$(outside_path "/var/spool/postfix/signet/$name.sock")" "$kind" \
            "$scratch/knocking.stop" >"$scratch/knock.$name" &
        knockers+=($!)
    done
}

# stop_knocking WHEN: fails if a knock was not answered.
stop_knocking() {
    local process name failed=0
    touch "$scratch/knocking.stop"
    for process in "${knockers[@]}"; do wait "$process" || failed=1; done
    knockers=()
    rm -f "$scratch/knocking.stop"
    for name in $daemons; do
        step "signet-$name $1: $(head -n 1 "$scratch/knock.$name")"
    done
    [ $failed -eq 0 ] || { cat "$scratch"/knock.* >&2; fail "connections were refused $1"; }
}

hundred_restarts() {
    local round
    start_knocking
    for round in $(seq 100); do
        # shellcheck disable=SC2046
        inside systemctl restart $(services) ||
            { inside journalctl --no-pager --lines 30 >&2; fail "restart $round fails"; }
    done
    stop_knocking "through 100 restarts"
}

# put_back NAME: gives a daemon its kept configuration again, as a whole: a client may have the daemon started
# at any moment, and with half of its configuration it would sign nothing.
put_back() {
    local conf
    conf=$(outside_path "/etc/signet/$1.conf")
    cp -p "$conf" "$conf.new"
    cat "$scratch/$1.conf" >"$conf.new"
    mv "$conf.new" "$conf"
}

good_and_bad_reloads() {
    local name before conf source whose
    for name in $daemons; do
        before=$(main_pid "$name")
        conf=$(outside_path "/etc/signet/$name.conf")
        cp "$conf" "$scratch/$name.conf"
        inside systemctl reload "signet-$name" || fail "signet-$name does not reload"
        echo 'Socket Nonsense' >>"$conf"
        inside systemctl reload "signet-$name" 2>/dev/null && fail "signet-$name takes nonsense"
        [ "$(main_pid "$name")" = "$before" ] || fail "signet-$name did not survive nonsense"
        inside journalctl --quiet --no-pager --unit "signet-$name" --output cat |
            grep "/etc/signet/$name.conf:$(wc -l <"$conf").*Nonsense" >/dev/null ||
            fail "the journal does not say what is wrong with $name.conf"
        inside systemctl status "signet-$name" | grep 'Status: "running with the old.*Nonsense' >/dev/null ||
            fail "systemctl status does not say why signet-$name was not reloaded"
        # Restarted with it, the daemon cannot run: clients are answered at once, and mail goes on once
        # it can.
        inside systemctl restart "signet-$name" 2>/dev/null && fail "signet-$name starts with nonsense"
        # The status of a failed unit is 3.
        { inside systemctl status "signet-$name" || true; } |
            grep 'Status: "not started: .*Nonsense' >/dev/null ||
            fail "systemctl status does not say why signet-$name was not started"
        # SPF is asked about mail from outside only.
        source=127.0.0.1 whose=ours
        [ "$name" != spf ] || source=$outsider whose=theirs
        # Postfix 3.7 answers 451, and 3.10, whose milter_default_action is shutdown, 421.
        refused ann@example.org "$source" 4 || fail "mail is not deferred while signet-$name is away"
        [ "$(inside systemctl show --property NRestarts --value "signet-$name")" -lt 5 ] ||
            fail "signet-$name is started again and again"
        put_back "$name"
        inside systemctl start "signet-$name" || fail "signet-$name does not start again"
        mail send "mended-$name" 1 ann@example.org bob@localhost "$source" >"$scratch/send" ||
            { cat "$scratch/send" >&2; fail "signet-$name: mail does not go on"; }
        arrived "mended-$name" 1 $whose
    done
    step 'a bad configuration is refused with the reason, and clients are answered at once'
}

# One misfortune after the other, until the mail is sent.
misfortunes() {
    local name round=0
    while [ -e "$scratch/sending" ]; do
        for name in $daemons; do
            round=$((round + 1))
            case $((round % 5)) in
                0) inside systemctl restart "signet-$name" ;;
                1) inside systemctl kill --signal KILL "signet-$name" ;;
                2) inside systemctl reload "signet-$name" 2>/dev/null ;;
                3)
                    echo 'Socket Nonsense' >>"$(outside_path "/etc/signet/$name.conf")"
                    inside systemctl reload "signet-$name" 2>/dev/null
                    put_back "$name"
                    ;;
                4) inside systemctl stop "signet-$name.service" 2>/dev/null ;;
            esac
            sleep 0.1
        done
    done
    echo $round >"$scratch/misfortunes"
}

load_with_misfortunes() {
    local name bad outer pid
    for name in $daemons; do cp "$(outside_path "/etc/signet/$name.conf")" "$scratch/$name.conf"; done
    touch "$scratch/sending"
    misfortunes &
    bad=$!
    mail send inward 300 ann@example.org bob@localhost "$outsider" >"$scratch/inward" &
    outer=$!
    mail send load 1000 ann@example.org bob@localhost 127.0.0.1 >"$scratch/load" &
    sleep 2
    pid=$(pgrep --ns "$machine_leader" --nslist pid --exact smtpd | head -n 1)
    [[ $(readlink "/proc/$pid/root") == */var/spool/postfix ]] || fail 'smtpd is not chrooted'
    wait $! || { cat "$scratch/load" >&2; fail 'mail of ours was refused'; }
    wait "$outer" || { cat "$scratch/inward" >&2; fail 'mail from outside was refused'; }
    rm "$scratch/sending"
    wait "$bad"
    arrived load 1000 ours
    arrived inward 300 theirs
    step "1300 messages through $(cat "$scratch/misfortunes") kills, stops, restarts and reloads:" \
        "none lost, none twice, each signed: $(cat "$scratch/load"), $(cat "$scratch/inward")"
}

ready_at_boot() {
    sign_some booted 20
    inside journalctl --quiet --no-pager --boot | grep 'connect to Milter service' >/dev/null &&
        fail 'Postfix was up before the sockets'
    for name in $daemons; do
        inside systemctl show --property Before "signet-$name.socket" |
            grep 'sockets.target' >/dev/null || fail "signet-$name.socket is not in sockets.target"
    done
    step 'after a boot the first message is signed'
}
