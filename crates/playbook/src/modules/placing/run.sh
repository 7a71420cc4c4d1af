# shellcheck shell=sh
# Puts content into a file: DEST BASENAME CHECKSUM SENT FROM CONTENT FORCE FOLLOW BACKUP OWNER GROUP MODE_STEPS DIRECTORY_MODE_STEPS
# CHECK DIFF LIMIT TOKEN SIZE VALIDATE...
# The content is standard input when SENT, or the file FROM on this machine. CONTENT is set when a task's text is the source.
# shellcheck disable=SC2154 # $expanded, $kind and the like come from the shared functions
dest=$1 basename=$2 checksum=$3 sent=$4 from=$5 content=$6 force=$7 follow=$8 backup=$9
shift 9
owner=$1 group=$2 mode_steps=$3 directory_steps=$4 check=$5 diff=$6 limit=$7 token=$8 size=$9
shift 9
changed=
named=$dest

# finish OUTCOME: kept, same or changed.
finish() {
    say outcome "$1"
    say changed "$changed"
    say dest "$2"
    say named "$named"
    if [ "$1" != kept ]; then
        about_known "$2"
    fi
    if [ "$1" = changed ] && [ -n "$diff" ]; then before; fi
    end
}

# about_known PATH: as `about`, without asking again for what is known.
about_known() {
    if [ -z "$facts" ]; then about "$1" && return; fi
    _links=${facts% *} && _links=${_links##* }
    say about "$facts"
    if [ "$_links" -gt 1 ]; then say kind hard; else say kind 'file'; fi
}

# before: the text that was there, as the payload.
before() {
    case $was in
    absent) say before_absent 1 ;;
    large) say before_larger 1 ;;
    text)
        printf 'payload=\0'
        cat <&3
        exit 0
        ;;
    esac
}

same_checksum() {
    [ -f "$1" ] && [ -r "$1" ] || return 1
    _sum=$(sha1sum <"$1") || return 1
    [ "${_sum%% *}" = "$checksum" ]
}

expand "$dest"
dest=$expanded
target=$dest
if [ -n "$from" ]; then
    expand "$from"
    from=$expanded
    [ -e "$from" ] || refuse "Source $from not found"
    [ -r "$from" ] || refuse "Source $from not readable"
    [ -f "$from" ] || refuse "Cannot copy invalid source '$from': not a file"
    basename=${from##*/}
    _sum=$(sha1sum <"$from") && _sum=${_sum%% *}
    if [ -n "$checksum" ] && [ "$_sum" != "$checksum" ]; then
        say with_checksum "$_sum"
        say with_expected_checksum "$checksum"
        refuse 'Copied file does not match the expected checksum. Transfer failed.'
    fi
    checksum=$_sum
    say checksum "$checksum"
    _sum=$(md5sum <"$from") && say md5sum "${_sum%% *}"
    say src "$from"
    [ "$mode_steps" != preserve ] || mode_steps=0$(stat -L -c %a -- "$from")
fi
case $target in
*/) target=$target$basename ;;
*)
    if [ -d "$target" ]; then
        [ -z "$content" ] || refuse 'can not use content with a dir as dest'
        target=$target/$basename
    fi
    ;;
esac
named=$target
if [ -L "$target" ] && [ -n "$follow" ]; then target=$(readlink -f -- "$target"); fi
if [ -d "$target" ]; then target=$target/${basename##*/}; fi
exists=
if [ -e "$target" ] || [ -L "$target" ]; then exists=1; fi
facts=
if [ -n "$exists" ] && [ -z "$force" ]; then finish kept "$dest"; fi
if { [ ! -L "$target" ] || [ -n "$follow" ]; } && same_checksum "$target"; then
    attributes "$target"
    finish same "$target"
fi

# What was there decides what the new file inherits, and is the diff's first half.
was=absent
if [ -n "$exists" ]; then
    read_facts "$target"
    was=other
    if [ -f "$target" ] && [ -r "$target" ]; then
        if [ "${facts##* }" -gt "$limit" ] 2>/dev/null; then was=large
        elif [ -n "$diff" ]; then was=text && exec 3<"$target"
        fi
    fi
fi
if [ -n "$check" ]; then
    changed=1
    finish changed "$target"
fi
case $target in
*/*) directory=${target%/*} ;;
*) directory=. ;;
esac
if [ ! -d "${directory:=/}" ]; then
    say with_checksum "$checksum"
    case $dest in
    */) ;;
    *) refuse "Destination directory $directory does not exist" ;;
    esac
    _steps=$mode_steps mode_steps=$directory_steps
    make_directories "$directory" :
    mode_steps=$_steps facts=
fi
if [ ! -w "$directory" ]; then
    say with_checksum "$checksum"
    refuse "Destination $directory not writable"
fi
if [ -z "$sent$from" ]; then
    say needed 1
    end
fi

# The new file has its final owner and mode before it takes its place, and until then no more permissions than those.
name=${target##*/}
case $name in
?*.*) suffix=.${name##*.} ;;
*) suffix= ;;
esac
temporary=$directory/.cluster-$token$suffix
trap 'rm -f -- "$temporary" "$temporary.out" "$temporary.err"' EXIT
trap 'exit 1' HUP INT TERM

# inherit UID GID OWNER GROUP MODE: the new file inherits them, where the task does not say otherwise.
inherit() { old_owner=$1 old_group=$2 wanted=0$5; }

# give_back PATH UID GID: it gets the inherited owner and group, if whoever runs this may give it away.
give_back() {
    [ -z "$owner" ] || old_owner=
    [ -z "$group" ] || old_group=
    if [ "${old_owner:-$2}:${old_group:-$3}" != "$2:$3" ]; then
        # chown takes setuid and setgid away, so the mode is looked at after it.
        if chown -h -- "${old_owner:-$2}:${old_group:-$3}" "$1" 2>/dev/null; then read_facts "$1"; fi
    fi
}

old_owner='' old_group='' wanted=''
# shellcheck disable=SC2086 # the facts are words
if [ -n "$from" ]; then [ -z "$exists" ] || wanted=0$(stat -L -c %a -- "$from")
elif [ -n "$facts" ] && [ ! -L "$target" ]; then inherit $facts
fi
case $mode_steps in
'') ;;
*' '*)
    # shellcheck disable=SC2086 # the steps are words
    mode_of "${wanted:-$((0666 & ~0$(umask)))}" '' $mode_steps
    wanted=$mode
    ;;
*) wanted=$mode_steps ;;
esac
# With no mode wanted, the umask gives it; else it is turned so that the file is made with what is wanted, or less.
if [ -n "$owner$group" ]; then umask 077
elif [ -n "$wanted" ]; then umask "0$((~wanted >> 6 & 7))$((~wanted >> 3 & 7))$((~wanted & 7))"
fi
set -C
# In this order the shell's own complaint is caught too, and cat needs no further process.
if [ -n "$from" ]; then _error=$(cat -- "$from" 2>&1 >"$temporary")
else _error=$(cat 2>&1 >"$temporary")
fi || refuse "Could not write $temporary: $_error"
set +C
read_facts "$temporary"
if [ -n "$size" ] && [ "${facts##* }" != "$size" ]; then
    refuse "The transfer broke off: ${facts##* } of $size bytes came"
fi
mode_steps=$wanted
# shellcheck disable=SC2086 # the facts are words
give_back "$temporary" $facts
# shellcheck disable=SC2086
attributes_from "$temporary" $facts
[ -n "$facts" ] || read_facts "$temporary"

said_much=
if [ $# -gt 0 ]; then
    said_much=1 count=$#
    while [ "$count" -gt 0 ]; do
        case $1 in
        *%s*) set -- "$@" "${1%%%s*}$temporary${1#*%s}" ;;
        *) set -- "$@" "$1" ;;
        esac
        shift
        count=$((count - 1))
    done
    "$@" >"$temporary.out" 2>"$temporary.err" </dev/null || {
        say with_exit_status $?
        say_file with_stdout "$temporary.out"
        say_file with_stderr "$temporary.err"
        say with_checksum "$checksum"
        refuse 'failed to validate'
    }
fi
if [ -n "$backup" ] && [ -e "$target" ]; then
    copy=$target.$$.$(date +%Y-%m-%d@%H:%M:%S~)
    _error=$(cp -p -- "$target" "$copy" 2>&1) || refuse "Could not make backup of $target to $copy: $_error"
    say backup_file "$copy"
fi
_error=$(mv -f -- "$temporary" "$target" 2>&1) || refuse "Could not replace $target: $_error"
[ -z "$said_much" ] || rm -f -- "$temporary.out" "$temporary.err"
trap - EXIT
say temporary "$temporary"
changed=1
finish changed "$target"
