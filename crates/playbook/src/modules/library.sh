# shellcheck shell=sh
# What the modules' scripts share. Names begin with an underscore where a path's $VARIABLES could otherwise meet them.
# shellcheck disable=SC2034,SC2154 # a script need not use all of it; some variables are set by eval

# say NAME VALUE: one field of the answer.
say() { printf '%s=%s\0' "$1" "$2"; }

# say_file NAME FILE: the field is the file's text, to the last newline.
say_file() { printf '%s=' "$1" && cat -- "$2" && printf '\0'; }

# end: the answer is whole.
end() { printf 'end\0' && exit 0; }

# refuse MESSAGE: the task fails with it; fields with_NAME said before become its return values.
refuse() { say refusal "$1" && end; }

# expand PATH: $expanded is the path with $VARIABLES, ~ and ~user replaced as Python's expandvars and expanduser do it.
expand() {
    expanded=$1
    case $expanded in *'$'*) expand_variables "$expanded" ;; esac
    case $expanded in '~'*) expand_home "$expanded" ;; esac
}

expand_variables() {
    _rest=$1 expanded=
    while :; do
        case $_rest in *'$'*) ;; *) break ;; esac
        expanded=$expanded${_rest%%'$'*} _rest=${_rest#*'$'}
        case $_rest in
        '{'*'}'*) _name=${_rest#'{'} && _name=${_name%%'}'*} && _written="{$_name}" ;;
        *) _name=${_rest%%[!A-Za-z0-9_]*} && _written=$_name ;;
        esac
        case $_name in
        '' | [0-9]* | *[!A-Za-z0-9_]*) _set= ;;
        *) eval "_set=\${$_name+set} _value=\${$_name-}" ;;
        esac
        if [ -z "$_set" ]; then
            expanded=$expanded'$'
        else
            expanded=$expanded$_value _rest=${_rest#"$_written"}
        fi
    done
    expanded=$expanded$_rest
}

expand_home() {
    _user=${1#'~'} && _user=${_user%%/*}
    case $_user in *[!A-Za-z0-9._-]*) return ;; esac
    eval "_home=~$_user"
    [ "$_home" = "~$_user" ] || expanded=$_home${1#"~$_user"}
}

# read_facts PATH: $facts is the entry's uid, gid, owner, group, mode, links and size; a link's own, not its target's.
read_facts() { facts=$(stat -c '%u %g %U %G %a %h %s' -- "$1" 2>/dev/null) || facts=; }

# kind_of PATH: $kind is absent, link, directory, hard (a file with more than one name) or file.
kind_of() {
    facts=
    if [ -L "$1" ]; then kind='link'
    elif [ -d "$1" ]; then kind=directory
    elif [ -e "$1" ]; then
        read_facts "$1"
        _links=${facts% *} && _links=${_links##* }
        if [ "${_links:-1}" -gt 1 ]; then kind='hard'; else kind='file'; fi
    else kind=absent
    fi
}

# about PATH: says what Ansible adds to every result that names a path.
about() {
    [ -e "$1" ] || return 0
    kind_of "$1"
    [ -n "$facts" ] || read_facts "$1"
    say about "$facts"
    say kind "$kind"
}

# refuse_at PATH MESSAGE: the task fails; what there is at the path is told as well.
refuse_at() {
    say with_path "$1"
    about "$1"
    refuse "$2"
}

# mode_of MODE DIRECTORY STEP...: $mode is what the steps make of that mode. One step is an absolute mode; else each has eight
# words: add, remove or set; the bits that `set` clears first; r, w and x; s and t; X; whose bits are copied (u 4, g 2, o 1);
# how far those are shifted; whether the umask holds back r, w and x.
mode_of() {
    mode=$(($1)) _directory=$2
    shift 2
    if [ $# -eq 1 ]; then mode=$(($1)) && return; fi
    while [ $# -ge 8 ]; do
        _bits=$(($3))
        [ "$8" = 0 ] || _bits=$((_bits & ~0$(umask)))
        _bits=$((_bits | $4))
        if [ -n "$_directory" ] || [ $((mode & 0111)) -ne 0 ]; then _bits=$((_bits | $5)); fi
        [ $(($6 & 4)) -eq 0 ] || _bits=$((_bits | ((mode >> 6) & 7) << $7))
        [ $(($6 & 2)) -eq 0 ] || _bits=$((_bits | ((mode >> 3) & 7) << $7))
        [ $(($6 & 1)) -eq 0 ] || _bits=$((_bits | (mode & 7) << $7))
        case $1 in
        set) mode=$((mode & ~$2 | _bits)) ;;
        add) mode=$((mode | _bits)) ;;
        remove) mode=$((mode & ~_bits)) ;;
        esac
        shift 8
    done
}

# uid_of OWNER PATH and gid_of GROUP PATH: $id is the number of that name, which may be a number itself.
uid_of() {
    case $1 in
    *[!0-9]*) id=$(id -u -- "$1" 2>/dev/null) || id= ;;
    *) id=$1 ;;
    esac
    [ -n "$id" ] || refuse_at "$2" "chown failed: failed to look up user $1"
}

gid_of() {
    case $1 in
    *[!0-9]*)
        if command -v getent >/dev/null 2>&1; then id=$(getent group "$1")
        else id=$(grep "^$1:" /etc/group)
        fi
        id=${id#*:} && id=${id#*:} && id=${id%%:*}
        ;;
    *) id=$1 ;;
    esac
    [ -n "$id" ] || refuse_at "$2" "chgrp failed: failed to look up group $1"
}

# tell NAME BEFORE AFTER: one line of the diff.
tell() { say "before_$1" "$2" && say "after_$1" "$3"; }

# attributes PATH: makes its owner, group and mode what $owner, $group and $mode_steps say (nothing for as it is), but changes
# nothing when $check is set. Sets $changed.
attributes() {
    [ -n "$owner$group$mode_steps" ] || return 0
    if [ -n "$check" ] && [ ! -e "$1" ]; then changed=1 && return 0; fi
    read_facts "$1"
    # shellcheck disable=SC2086 # the facts are words
    attributes_from "$1" $facts
}

attributes_from() {
    if [ -n "$owner" ] && [ "$owner" != "$4" ]; then
        uid_of "$owner" "$1"
        if [ "$id" != "$2" ]; then
            tell owner "$2" "$id"
            if [ -z "$check" ]; then _error=$(chown -h -- "$id" "$1" 2>&1) || refuse_at "$1" "chown failed: $_error"; fi
            changed=1 facts=
        fi
    fi
    if [ -n "$group" ] && [ "$group" != "$5" ]; then
        gid_of "$group" "$1"
        if [ "$id" != "$3" ]; then
            tell group "$3" "$id"
            if [ -z "$check" ]; then _error=$(chown -h -- ":$id" "$1" 2>&1) || refuse_at "$1" "chgrp failed: $_error"; fi
            changed=1 facts=
        fi
    fi
    [ -n "$mode_steps" ] || return 0
    _directory=
    if [ -d "$1" ] && [ ! -L "$1" ]; then _directory=1; fi
    # shellcheck disable=SC2086 # the steps are words
    mode_of "0$6" "$_directory" $mode_steps
    if [ "$mode" -ne "$((0$6))" ]; then
        tell mode "$(printf '0%03o' "$((0$6))")" "$(printf '0%03o' "$mode")"
        if [ -n "$check" ]; then changed=1
        # Linux has no modes for links.
        elif [ ! -L "$1" ]; then
            # Five digits: fewer would leave a directory its setuid and setgid bits.
            _error=$(chmod -- "$(printf '%05o' "$mode")" "$1" 2>&1) || refuse_at "$1" "chmod failed: $_error"
            changed=1 facts=
        fi
    fi
}

# make_directories PATH FUNCTION: like mkdir -p, but each new one gets the attributes, and FUNCTION is called with it.
make_directories() {
    case $1 in
    /*) _made= ;;
    *) _made=. ;;
    esac
    _each=$2
    set -f
    IFS=/
    # shellcheck disable=SC2086 # its parts
    set -- $1
    unset IFS
    set +f
    for _part do
        [ -n "$_part" ] || continue
        _made=$_made/$_part
        [ -d "$_made" ] && continue
        _error=$(mkdir -- "$_made" 2>&1) || [ -d "$_made" ] || {
            refuse_at "$_made" "There was an issue creating ${_made#./} as requested: $_error"
        }
        attributes "$_made"
        "$_each" "$_made"
    done
}
