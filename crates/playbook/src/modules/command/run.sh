# shellcheck shell=sh
# command and shell: TOKEN CHECK EXPAND CHDIR CREATES REMOVES PROGRAM ARGUMENT...
# shellcheck disable=SC2154 # $expanded comes from the shared functions
token=$1 check=$2 replace=$3 chdir=$4 creates=$5 removes=$6
shift 6

# tell_instead VERDICT: the program does not run, and why.
tell_instead() { printf '%s%s' "$token" "$1" && exit 0; }

# matches PATTERN: whether a path matches it; only wildcards are special.
matches() {
    IFS=
    # shellcheck disable=SC2086 # the pattern is to be expanded
    set -- $1
    unset IFS
    [ -e "$1" ] || [ -L "$1" ]
}

if [ -n "$chdir" ]; then
    expand "$chdir"
    case $expanded in -*) expanded=./$expanded ;; esac
    cd "$expanded" 2>/dev/null || tell_instead "chdir $chdir"
fi
if [ -n "$creates" ]; then
    expand "$creates"
    if matches "$expanded"; then tell_instead "creates $expanded"; fi
fi
if [ -n "$removes" ]; then
    expand "$removes"
    matches "$expanded" || tell_instead "removes $expanded"
fi
[ -z "$check" ] || tell_instead check

if [ -n "$replace" ]; then
    count=$#
    while [ "$count" -gt 0 ]; do
        case $1 in
        *'$'* | '~'*) expand "$1" && set -- "$@" "$expanded" ;;
        *) set -- "$@" "$1" ;;
        esac
        shift
        count=$((count - 1))
    done
fi

# exec would end the shell where the program is missing, so it is looked for first.
found=
case $1 in
*/*)
    [ -e "$1" ] || tell_instead "missing $1"
    found=$1
    ;;
*)
    IFS=:
    set -f
    for directory in $PATH; do
        candidate=${directory:-.}/$1
        if [ -f "$candidate" ] && [ -x "$candidate" ]; then found=$candidate && break; fi
    done
    set +f
    unset IFS
    [ -n "$found" ] || tell_instead "missing $1"
    ;;
esac
if [ -d "$found" ] || [ ! -x "$found" ]; then tell_instead "denied $1"; fi
exec "$@"
