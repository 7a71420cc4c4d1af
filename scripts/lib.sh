# shellcheck shell=sh
# What the scripts in this folder share. Sourced from the root of the repository.

# Progress: one line on standard error, headed by the script's name.
say() {
    script=${0##*/}
    printf '%s: %s\n' "${script%.sh}" "$*" >&2
}

# fail <what is wrong> <what to do about it> [exit code, default 2: nothing was touched]
fail() {
    printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
    exit "${3:-2}"
}

# need <command> <how to get it>
need() {
    command -v "$1" >/dev/null 2>&1 || fail "\`$1\` was not found" "$2"
}

# The SHA-256 of standard input, on systems that spell it either way.
hash_input() {
    if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

# The time since <start, from `date +%s`>: `8 s`, `2 min 5 s`.
elapsed_since() {
    set -- $(($(date +%s) - $1))
    if [ "$1" -lt 60 ]; then printf '%d s' "$1"; else printf '%d min %d s' $(($1 / 60)) $(($1 % 60)); fi
}

# lock <file>: lets one run in at a time, until the script and what it started have ended. Where there is no flock(1)
# (macOS) two runs may do the same work twice; what they put in place is whole in either case.
lock() {
    command -v flock >/dev/null 2>&1 || return 0
    exec 9>"$1"
    flock -n 9 && return 0
    say "waiting for another run to end …"
    flock 9
}
