#!/bin/sh
# Makes .tools/venv, the Python environment with the reference Ansible, as tools/python/*.txt pin it. What is there and
# unchanged is left alone.
#
#   scripts/venv.sh          ansible-core and what it needs
#   scripts/venv.sh test     the same, and ansible-lint, the libraries that some filters load, and schemathesis
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

venv=.tools/venv
minimum=3.11 # ansible-core 2.19 runs on this Python and newer

case ${1:-} in
    '') files="requirements.txt" ;;
    test) files="requirements.txt requirements-test.txt" ;;
    *) fail "\`$1\` is not something that this script installs" "run scripts/venv.sh or scripts/venv.sh test" ;;
esac

# The first Python that is new enough, by name and version.
find_python() {
    for python in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        command -v "$python" >/dev/null 2>&1 || continue
        version=$("$python" -c 'import platform, sys
print(platform.python_version())
sys.exit(sys.version_info < tuple(map(int, sys.argv[1].split("."))))' "$minimum") && return
    done
    fail "no Python $minimum or newer was found${version:+ (this is Python $version)}" \
        "install one (apt-get install python3 python3-venv), or name it: PYTHON=/path/to/python3 scripts/venv.sh"
}

# stamp <file>: what the environment depends on, to be compared with what it was made from.
stamp() {
    printf '%s %s' "$version" "$(hash_input <"tools/python/$1")"
}

current() {
    for file in $files; do
        [ "$(cat "$venv/.$file" 2>/dev/null)" = "$(stamp "$file")" ] || return 1
    done
}

create() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "Python $version can not make virtual environments: its \`ensurepip\` or \`venv\` module is missing" \
            "install them: apt-get install python${version%.*}-venv (Debian, Ubuntu)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
}

# Every version is pinned, so pip has nothing to resolve.
install() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps -r "tools/python/$1" ||
        fail "pip could not install tools/python/$1" "its reason stands above; run scripts/venv.sh again when that is mended" 1
    stamp "$1" >"$venv/.$1"
}

find_python
if current; then
    say "Python environment is up to date"
    exit
fi
mkdir -p .tools
lock .tools/venv.lock
start=$(date +%s)
say "installing ansible-core into $venv …"
[ "$(cat "$venv/.requirements.txt" 2>/dev/null)" = "$(stamp requirements.txt)" ] || create
for file in $files; do
    [ "$(cat "$venv/.$file" 2>/dev/null)" = "$(stamp "$file")" ] || install "$file"
done
"$venv/bin/python" -m pip --disable-pip-version-check check >/dev/null ||
    fail "the versions pinned in tools/python do not fit together" "run $venv/bin/python -m pip check"
say "Python environment is ready ($(elapsed_since "$start"))"
