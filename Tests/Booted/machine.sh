# shellcheck shell=bash
# A Debian of its own that boots systemd, for tests of units, sockets and packages.
#
# Sourced by the tests of this directory. The root is made with mmdebstrap once for each set of
# packages and kept outside the project; a machine boots from it under an overlay, so that nothing
# it does is kept. Only root can do this, and a machine that cannot is an error, never a skip.

machine_cache=${SIGNET_CACHE:-/var/cache/signet-tests}
# The release that is booted; a test may set another before it asks for a root.
machine_release=bookworm
machine_scratch=
machine_nspawn=
machine_leader=

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# machine_root PACKAGE...: prints the directory of a Debian root with systemd and these packages.
machine_root() {
    local key root new packages
    # A root is made anew each month, so that it does not age behind Debian's updates.
    packages=$(printf '%s\n' systemd systemd-sysv "$@" | sort -u | paste -sd, -)
    key=$(printf '%s %s' "$packages" "$(date +%Y-%m)" | sha256sum | cut -c1-16)
    root=$machine_cache/$machine_release-$key new=$root.new.$$
    if [ ! -d "$root" ]; then
        mkdir -p "$machine_cache" || return
        echo "Making a root of Debian $machine_release with $packages" >&2
        if ! mmdebstrap --quiet --variant=minbase --include="$packages" \
            "$machine_release" "$new" >&2; then
            rm -rf --one-file-system "$new"
            echo "mmdebstrap could not make the root: is Debian's archive within reach?" >&2
            return 1
        fi
        mv --no-target-directory "$new" "$root" || return
    fi
    printf '%s\n' "$root"
}

# machine_boot ROOT [OPTION...]: boots ROOT with these further options of systemd-nspawn.
machine_boot() {
    local root=$1 attempt
    shift
    machine_scratch=$(mktemp -d)
    trap machine_stop EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    # No bus is needed on this side: the machine is neither registered nor put in a scope.
    systemd-nspawn --quiet --directory="$root" --machine="signet-$$" --boot --volatile=overlay \
        --register=no --keep-unit --private-network --console=pipe "$@" \
        </dev/null >"$machine_scratch/console" 2>&1 &
    machine_nspawn=$!
    for attempt in $(seq 200); do
        machine_leader=$(pgrep --parent "$machine_nspawn" | head -n 1)
        if [ -n "$machine_leader" ] && [ -e "/proc/$machine_leader/root/run/systemd/private" ]; then
            break
        fi
        kill -0 "$machine_nspawn" 2>/dev/null || break
        sleep 0.05
    done
    case $(inside systemctl is-system-running --wait 2>&1) in
        running) ;;
        *)
            cat "$machine_scratch/console" >&2
            inside systemctl --no-pager --failed >&2
            fail "systemd did not boot in $root"
            ;;
    esac
}

# inside COMMAND...: runs a command in the booted machine.
inside() {
    [ -n "$machine_leader" ] || return 1
    nsenter --target "$machine_leader" --mount --uts --ipc --net --pid --root -- \
        env -i --chdir=/ PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# outside_path PATH: prints where PATH of the booted machine is seen from here.
outside_path() {
    printf '/proc/%s/root%s\n' "$machine_leader" "$1"
}

# machine_stop: ends the machine at once; there is nothing in it to be kept.
machine_stop() {
    trap - EXIT
    if [ -n "$machine_nspawn" ] && kill -0 "$machine_nspawn" 2>/dev/null; then
        # The second one ends it without waiting for the machine's own shutdown.
        kill -TERM "$machine_nspawn"
        sleep 0.2
        kill -TERM "$machine_nspawn" 2>/dev/null
        wait "$machine_nspawn" 2>/dev/null
    fi
    [ -z "$machine_scratch" ] || rm -rf "$machine_scratch"
    # Where /run is no tmpfs, systemd-nspawn leaves its empty directory there.
    rmdir "/run/systemd/nspawn/propagate/signet-$$" 2>/dev/null
    machine_nspawn='' machine_leader='' machine_scratch=''
}

# eventually COMMAND...: waits up to 10 s until the command succeeds.
eventually() {
    local attempt
    for attempt in $(seq 100); do
        "$@" && return
        sleep 0.1
    done
    return 1
}

# library_packages PROGRAM...: prints the Debian packages of the shared libraries that they need.
library_packages() {
    local library
    objdump --private-headers "$@" | awk '$1 == "NEEDED" { print $2 }' | sort -u |
        while read -r library; do
            dpkg-query --search "*/$library" | sed -n 's/^\([^:,]*\).*/\1/p' | head -n 1
        done | sort -u
}
