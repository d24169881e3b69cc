# shellcheck shell=bash
# What README tells its reader to type, out of README itself.
#
# Sourced by Tests/Booted/packages.

# readme_lines HEADING: the indented lines of that section, with the domain that the machine has.
readme_lines() {
    awk -v heading="## $1" '/^## /{ inside = $0 == heading } inside && /^    /' README.md |
        sed 's/^    //; s/example\.com/example.org/g'
}

# readme_commands HEADING PATTERN: the section's commands that match, each of which has to be there.
readme_commands() {
    readme_lines "$1" | grep -E "^$2" || fail "README has no command that begins with $2"
}

# as_readme_says HEADING PATTERN: runs these commands one after the other, until one fails.
as_readme_says() {
    local command commands
    commands=$(readme_commands "$1" "$2") || exit
    while read -r command; do
        inside sh -c "$command" </dev/null || return
    done <<<"$commands"
}
