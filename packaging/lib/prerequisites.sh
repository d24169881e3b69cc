# shellcheck shell=bash
# Installs what building and testing need from Debian, and starts nothing.
#
# Sourced by Tests/run, packaging/demo and packaging/build-deb. The machine's own mail system stays
# as it is: where another MTA than Postfix is installed nothing is installed at all, and a service
# that a package brings is not started.

# What a Swift toolchain from swift.org runs with and links with, and what the build links with;
# libspf2 is the second opinion of a test, in no daemon.
build_packages=(
    binutils ca-certificates g++ git libcurl4-openssl-dev libedit-dev libncurses-dev tzdata
    libmilter-dev libunbound-dev libssl-dev libpq-dev libsqlite3-dev libspf2-dev
    libxml2-dev zlib1g-dev libarchive-dev libexpat1-dev libjansson-dev pkg-config
)
# From Debian 13 on, the linker that Swift calls is in a package of its own.
if [ "$(. /etc/os-release && echo "${VERSION_ID:-0}")" -ge 13 ]; then
    build_packages+=(binutils-gold)
fi
# What packaging/build-deb needs beside that.
packaging_packages=(build-essential debhelper dpkg-dev git)
# What the demo runs beside our programs.
demo_packages=(
    postfix dovecot-core dovecot-imapd dovecot-lmtpd dovecot-submissiond nsd
    opendkim python3-dkim python3-nacl
)
# What the tests need beyond that.
test_packages=(
    ldnsutils miltertest opendkim-tools dkimpy-milter postfix-policyd-spf-python python3-spf publicsuffix mandoc
    mmdebstrap systemd-container procps util-linux binutils iproute2 lintian python3
    sqlite3 libxml2-utils postgresql knot bind9-dnsutils opendmarc rsync openssh-server openssh-client prometheus python3-prometheus-client
)

policy_file=/usr/sbin/policy-rc.d
policy_saved=

# Prints those of its arguments that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>/dev/null |
            grep -q '^ii' || printf '%s\n' "$package"
    done
}

# Prints the installed package that is a mail transport agent other than Postfix, if there is one.
foreign_mta() {
    dpkg-query --show --showformat='${db:Status-Abbrev} ${Package} ${Provides}\n' 2>/dev/null |
        awk '$1 == "ii" && $2 != "postfix" && /[ ,]mail-transport-agent([ ,]|$)/ { print $2; exit }'
}

# Forbids Debian's packages to start services until policy_restore is called.
policy_forbid() {
    local directory
    directory=$(mktemp -d) || return
    # An existing policy, a link even, is kept with its owner, mode and times.
    if [ -e $policy_file ] || [ -L $policy_file ]; then
        cp -a $policy_file "$directory/policy-rc.d" || return
    fi
    printf '#!/bin/sh\nexit 101\n' >"$directory/forbid" && chmod 755 "$directory/forbid" || return
    # Only from here on is there something to put back.
    policy_saved=$directory
    # A new file takes the old one's place, so that what a link points to is not written to.
    mv -f "$directory/forbid" $policy_file
}

# Puts the policy that policy_forbid found back exactly as it was.
policy_restore() {
    [ -n "$policy_saved" ] || return 0
    if [ -e "$policy_saved/policy-rc.d" ] || [ -L "$policy_saved/policy-rc.d" ]; then
        mv -f "$policy_saved/policy-rc.d" $policy_file
    else
        rm -f $policy_file
    fi
    rm -rf "$policy_saved"
    policy_saved=
}

# Installs the packages named in its arguments, as far as they are missing.
install_packages() {
    local missing mta
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        printf 'These Debian packages are missing, and only root can install them:\n  %s\n' \
            "${missing[*]}" >&2
        return 1
    fi
    mta=$(foreign_mta)
    if [ -n "$mta" ]; then
        cat >&2 <<END
This machine has another mail system, $mta. The tests and the demo need the programs of Postfix,
and installing them would remove it, so nothing was installed and nothing was changed.
Use a machine or a container that has Postfix or no mail system.
END
        return 1
    fi
    printf 'Installing from Debian, without starting anything: %s\n' "${missing[*]}"
    # In a shell of its own, whose traps put the policy back however the installation ends.
    (
        trap policy_restore EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM HUP
        policy_forbid || exit
        export DEBIAN_FRONTEND=noninteractive
        apt-get -q update >&2 &&
            apt-get -q install --yes --no-install-recommends "${missing[@]}" >&2 &&
            disable_services "${missing[@]}"
    )
}

# Keeps the services of newly installed packages from starting with the machine's next boot.
disable_services() {
    local package units
    command -v systemctl >/dev/null || return 0
    for package in "$@"; do
        mapfile -t units < <(
            dpkg-query --listfiles "$package" |
                sed -n 's,^\(/usr\)\?/lib/systemd/system/\([^/@]*\.\(service\|socket\)\)$,\2,p'
        )
        [ ${#units[@]} -eq 0 ] || systemctl --quiet disable "${units[@]}" 2>/dev/null || true
    done
}

# Says what is wrong when Swift cannot be used.
require_swift() {
    command -v swift >/dev/null && return 0
    echo 'Swift 6.3 or later is needed, and there is no "swift" in PATH: see https://swift.org/install' >&2
    return 1
}
