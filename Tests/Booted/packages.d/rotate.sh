# shellcheck shell=bash disable=SC2154
# Keys that signet-rotate.timer replaces by itself, in the sandbox of its unit.
#
# Sourced by Tests/Booted/packages.

# prepare_rotation ROOT: a zone of its own in the machine's name server, which answers on both families.
prepare_rotation() {
    cat >"$1/etc/nsd/nsd.conf.d/rotate.conf" <<'NSD'
server:
    ip-address: ::1
remote-control:
    control-enable: yes
    control-interface: /run/nsd/nsd.ctl
zone:
    name: rotate.example
    zonefile: /etc/nsd/rotate.example.zone
NSD
    cat >"$1/etc/nsd/rotate.example.zone" <<'ZONE'
$ORIGIN rotate.example.
$TTL 1
@ SOA ns hostmaster 1 60 60 600 1
@ NS ns
ns A 127.0.0.1
ns AAAA ::1
$INCLUDE /etc/nsd/rotate.example.signet
ZONE
    : >"$1/etc/nsd/rotate.example.signet"
}

rotating_keys() { inside cat /etc/signet/keys/rotate.example/signing | grep -v '^#'; }

# rotated_from KEYS: whether others than these sign.
rotated_from() { [ -n "$(rotating_keys)" ] && [ "$(rotating_keys)" != "$1" ]; }

rotation_failed() {
    inside journalctl --no-pager --unit signet-rotate.service >&2
    inside signet key status >&2
    fail "$1"
}

# keys_rotate_by_the_timer: as operating.md describes it, with times of seconds.
keys_rotate_by_the_timer() {
    local before attempt
    # KeyFile goes before: the domain of README's first steps does not rotate behind its back.
    echo 'KeyDirectory /etc/signet/keys' >>"$(outside_path /etc/signet/dkim.conf)"
    inside systemctl reload signet-dkim || fail 'signet-dkim does not take KeyDirectory'
    inside signet key rotate example.org >"$scratch/rotate" 2>&1 && fail 'keys rotate that KeyFile names'
    grep -qF 'KeyFile /etc/signet/keys/example.org/mail.private' "$scratch/rotate" ||
        { cat "$scratch/rotate" >&2; fail 'it is not said what keeps keys from rotating'; }
    inside install -m 755 /usr/share/doc/signet-dkim/examples/rotate/zone-reload /etc/signet/zone-reload
    cat >>"$(outside_path /etc/signet/rotate.conf)" <<'CONF'
Method          zonefile
ZoneDirectory   /etc/nsd
ZoneReload      /etc/signet/zone-reload
RecordTTL       1s
QueueLifetime   2s
RetireMargin    1s
CONF
    inside signet key rotate rotate.example --type both --wait >"$scratch/rotate" 2>&1 ||
        { cat "$scratch/rotate" >&2; rotation_failed 'the first keys do not come to sign'; }
    before=$(rotating_keys)
    # As an administrator who has keys replaced more often than each quarter.
    echo 'RotateEvery 1s' >>"$(outside_path /etc/signet/rotate.conf)"
    often signet-rotate.timer 3
    for attempt in $(seq 600); do
        rotated_from "$before" && break
        sleep 0.2
    done
    rotated_from "$before" || rotation_failed 'the timer replaces no key'
    often_no_more signet-rotate.timer
    [ "$(inside sh -c 'stat -c "%a %U" /etc/signet/keys/rotate.example/*.private' | sort -u)" = '600 signet-dkim' ] ||
        fail 'keys that the unit makes have other rights'
    inside signet key list rotate.example >"$scratch/rotate" ||
        { cat "$scratch/rotate" >&2; fail 'the DNS does not show the keys that sign'; }
    mail send rotated 5 ann@rotate.example bob@localhost 127.0.0.1 >/dev/null ||
        fail 'mail does not pass while keys rotate'
    arrived rotated 5 ours
    inside sh -c 'signet check "$(grep -rl "^X-Test: rotated.3$" /home/bob/Maildir/new)"' >"$scratch/check"
    [ "$(grep -c '^DKIM pass' "$scratch/check")" -eq 2 ] ||
        { cat "$scratch/check" >&2; fail 'signatures of rotated keys do not verify'; }
    # What belongs to no package would be left when all are purged.
    inside rm /etc/signet/zone-reload \
        /etc/nsd/nsd.conf.d/rotate.conf /etc/nsd/rotate.example.zone /etc/nsd/rotate.example.signet
    inside systemctl restart nsd
    step "signet-rotate.timer replaced $(wc -w <<<"$before") keys by the zone file, in its sandbox"
}
