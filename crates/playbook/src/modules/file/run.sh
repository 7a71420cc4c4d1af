# shellcheck shell=sh
# file: STATE PATH SRC RECURSE FOLLOW FORCE OWNER GROUP MODE_STEPS MODE CHECK DIFF MTIME ATIME
# shellcheck disable=SC2154 # $expanded, $kind and the like come from the shared functions
state=$1 path=$2 src=$3 recurse=$4 follow=$5 force=$6 owner=$7 group=$8 mode_steps=$9
shift 9
mode_text=$1 check=$2 diff=$3 mtime=$4 atime=$5
changed=

# finish: tells the outcome.
finish() {
    say changed "$changed"
    say target "$path"
    say state "$state"
    about "$path"
    end
}

# tell_state: the diff's line when something else is there now.
tell_state() { [ "$kind" = "$state" ] || tell state "$kind" "$state"; }

# real PATH: $path becomes what the links lead to.
real() { path=$(readlink -f -- "$1") || path=$1; }

# stamps PATH: its times become $mtime and $atime: preserve, now or [[CC]YY]MMDDhhmm.ss, in the machine's time zone.
stamps() {
    [ "$mtime$atime" != preservepreserve ] || return 0
    [ -e "$1" ] || return 0
    _before_m=
    [ -z "$diff" ] || { _before_m=$(stat -c %y -- "$1") && _before_a=$(stat -c %x -- "$1"); }
    if [ "$mtime$atime" = nownow ]; then
        changed=1
        if [ -z "$check" ]; then
            _error=$(touch -c -- "$1" 2>&1) || refuse_at "$path" "Error while updating modification or access time: $_error"
        fi
    else
        stamp m "$mtime" "$1"
        stamp a "$atime" "$1"
    fi
    if [ -n "$diff" ]; then
        _after=$1
        if [ -n "$check" ]; then later; fi
        if [ "$mtime" != preserve ]; then tell_time mtime "$_before_m" "$(stat -c %y -- "$_after")"; fi
        if [ "$atime" != preserve ]; then tell_time atime "$_before_a" "$(stat -c %x -- "$_after")"; fi
        [ "$_after" = "$1" ] || rm -f -- "$_after"
    fi
}

# later: $_after is another file with the times that would be set.
later() {
    _after=$(mktemp) || return 0
    case $mtime in preserve | now) ;; *) touch -m -t "$mtime" -- "$_after" ;; esac
    case $atime in preserve | now) ;; *) touch -a -t "$atime" -- "$_after" ;; esac
}

# tell_time NAME BEFORE AFTER
tell_time() { [ "$2" = "$3" ] || tell "$1" "$2" "$3"; }

# stamp m|a TIME PATH
stamp() {
    case $2 in
    preserve) return ;;
    now) set -- "$1" "$2" "$3" "-$1" ;;
    *)
        if [ "$1" = m ]; then _now=$(date -r "$3" +%Y%m%d%H%M.%S)
        else _now=$(date -d "@$(stat -c %X -- "$3")" +%Y%m%d%H%M.%S)
        fi
        [ "$_now" != "$2" ] || return 0
        set -- "$1" "$2" "$3" "-$1" -t "$2"
        ;;
    esac
    changed=1
    [ -z "$check" ] || return 0
    _stamped=$3
    shift 3
    _error=$(touch -c "$@" -- "$_stamped" 2>&1) || refuse_at "$path" "Error while updating modification or access time: $_error"
}

absent() {
    if [ "$kind" != absent ]; then
        changed=1
        tell_state
        if [ "$kind" = directory ] && [ -n "$diff" ]; then walked; fi
        if [ -z "$check" ]; then
            if [ "$kind" = directory ]; then _error=$(rm -rf -- "$path" 2>&1) || refuse_at "$path" "rmtree failed: $_error"
            else _error=$(rm -f -- "$path" 2>&1) || refuse_at "$path" "Unlinking failed: $_error"
            fi
        fi
    fi
    say changed "$changed"
    say target "$path"
    say state absent
    # In check mode it is still there.
    about "$path"
    end
}

# walked: what is lost with a directory.
walked() {
    say walked 1
    find "$path" -mindepth 1 -type d -exec sh -c 'for p do printf "walked_directory=%s\0" "$p"; done' sh {} +
    find "$path" -mindepth 1 ! -type d -exec sh -c 'for p do printf "walked_file=%s\0" "$p"; done' sh {} +
}

touch_file() {
    if [ "$kind" = absent ]; then
        changed=1
        if [ -n "$check" ]; then
            say undiffed 1
            finish
        fi
        { : >"$path"; } 2>/dev/null || refuse_at "$path" "Error, could not touch target: $(touch -- "$path" 2>&1)"
    fi
    tell_state
    touched=$path
    if [ -n "$follow" ] && [ -L "$path" ]; then real "$path"; fi
    attributes "$path"
    stamps "$path"
    path=$touched
    finish
}

plain_file() {
    if [ "$kind" = 'link' ] && [ -n "$follow" ]; then
        real "$path"
        kind_of "$path"
    fi
    case $kind in
    'file' | hard) ;;
    *)
        say with_state "$kind"
        refuse_at "$path" "file ($path) is $kind, cannot continue"
        ;;
    esac
    tell_state
    attributes "$path"
    stamps "$path"
    finish
}

directory() {
    if [ "$kind" = 'link' ] && [ -n "$follow" ]; then
        real "$path"
        kind_of "$path"
    fi
    tell_state
    case $kind in
    absent)
        changed=1
        [ -n "$check" ] || make_directories "$path" stamps
        ;;
    directory)
        attributes "$path"
        stamps "$path"
        [ -z "$recurse" ] || descend
        ;;
    *) refuse_at "$path" "$path already exists as a $kind" ;;
    esac
    finish
}

# descend: owner, group and mode for all below. find itself picks what differs, so that names never pass through the shell.
descend() {
    alter ''
    # Targets of links get the same, as in ansible-core.
    if [ -n "$follow" ] && [ -n "$(find "$path" -type l | head -n 1)" ]; then alter -L; fi
    if [ "$mtime$atime" != preservepreserve ]; then
        changed=1
        if [ -z "$check" ]; then
            find "$path" -mindepth 1 ! -type l -exec touch -c -- {} +
        fi
    fi
}

# alter ''|-L
alter() {
    if [ -n "$owner" ]; then
        uid_of "$owner" "$path"
        alter_owner "$1" -user "$id"
    fi
    if [ -n "$group" ]; then
        gid_of "$group" "$path"
        alter_owner "$1" -group "$id"
    fi
    [ -z "$mode_steps" ] || alter_modes "$1"
}

alter_owner() {
    [ -n "$(find ${1:+"$1"} "$path" ! "$2" "$3" 2>/dev/null | head -n 1)" ] || return 0
    changed=1
    [ -z "$check" ] || return 0
    case $1$2 in
    -user) _error=$(find ${1:+"$1"} "$path" ! "$2" "$3" -exec chown -h "$3" {} + 2>&1) ;;
    -group) _error=$(find ${1:+"$1"} "$path" ! "$2" "$3" -exec chown -h ":$3" {} + 2>&1) ;;
    -L-user) _error=$(find ${1:+"$1"} "$path" ! "$2" "$3" -exec chown "$3" {} + 2>&1) ;;
    *) _error=$(find ${1:+"$1"} "$path" ! "$2" "$3" -exec chown ":$3" {} + 2>&1) ;;
    esac || refuse_at "$path" "chown failed: $_error"
}

# differ: whether the steps would change one of the modes that it reads.
differ() {
    while read -r _mode _type; do
        [ "$_type" = directory ] || _type=
        # shellcheck disable=SC2086 # the steps are words
        mode_of "0$_mode" "$_type" $mode_steps
        if [ "$mode" -ne "$((0$_mode))" ]; then return 0; fi
    done
    return 1
}

alter_modes() {
    case $mode_steps in
    *' '*)
        find ${1:+"$1"} "$path" ! -type l -exec stat -L -c '%a %F' {} + 2>/dev/null | differ || return 0
        set -- "$1" "$mode_text"
        ;;
    *)
        [ -n "$(find ${1:+"$1"} "$path" ! -type l ! -perm "$mode_steps" 2>/dev/null | head -n 1)" ] || return 0
        set -- "$1" "$(printf '%05o' "$((mode_steps))")"
        ;;
    esac
    changed=1
    [ -z "$check" ] || return 0
    _error=$(find ${1:+"$1"} "$path" ! -type l -exec chmod "$2" {} + 2>&1) || refuse_at "$path" "chmod failed: $_error"
}

symlink() {
    if [ -z "$src" ] && [ -n "$follow" ] && [ -e "$path" ]; then src=$(readlink -- "$path"); fi
    if [ -n "$src" ]; then
        if [ "$kind" = directory ]; then _from=$path; else case $path in */*) _from=${path%/*} ;; *) _from=. ;; esac; fi
        case $src in
        /*) _from=$src ;;
        *) _from=$_from/$src ;;
        esac
        if [ -z "$force" ] && [ ! -e "$_from" ]; then
            say with_src "$src"
            refuse_at "$path" "src file does not exist, use 'force=yes' if you really want to create the link: $_from"
        fi
    fi
    case $kind in
    directory)
        [ -n "$force" ] || refuse_at "$path" "refusing to convert from directory to symlink for $path"
        [ -z "$(ls -A -- "$path")" ] || refuse_at "$path" "the directory $path is not empty, refusing to convert it"
        ;;
    'file' | hard) [ -n "$force" ] || refuse_at "$path" "refusing to convert from $kind to symlink for $path" ;;
    esac
    tell_state
    if [ "$kind" != 'link' ]; then
        [ -n "$src" ] || refuse "src is required for creating new symlinks"
        changed=1
    elif [ -n "$src" ]; then
        _old=$(readlink -- "$path")
        if [ "$_old" != "$src" ]; then changed=1 && tell src "$_old" "$src"; fi
    fi
    if [ -n "$changed" ] && [ -z "$check" ]; then
        if [ "$kind" = directory ]; then rmdir -- "$path"; fi
        _error=$(ln -sfn -- "$src" "$path" 2>&1) || refuse_at "$path" "Error while linking: $_error"
    fi
    say src "$src"
    if [ -n "$check" ] && [ ! -e "$path" ]; then finish; fi
    linked=$path
    if [ -n "$follow" ] && [ -L "$path" ] && [ ! -e "$path" ]; then
        say warning 'Cannot set fs attributes on a non-existent symlink target. follow should be set to False to avoid this.'
    else
        if [ -n "$follow" ] && [ -L "$path" ]; then real "$path"; fi
        attributes "$path"
        stamps "$path"
    fi
    path=$linked
    finish
}

hardlink() {
    if [ "$kind" != hard ] && [ -z "$src" ]; then refuse "src is required for creating new hardlinks"; fi
    if [ -n "$src" ] && [ ! -e "$src" ]; then
        say with_dest "$path"
        say with_src "$src"
        refuse "src does not exist"
    fi
    tell_state
    case $kind in
    absent | 'link') changed=1 ;;
    hard | 'file')
        if [ -n "$src" ] && [ "$(stat -L -c %d:%i -- "$path")" != "$(stat -L -c %d:%i -- "$src")" ]; then
            changed=1
            if [ -z "$force" ]; then
                say with_dest "$path"
                say with_src "$src"
                [ "$kind" = hard ] && refuse "Cannot link, different hard link exists at destination"
                refuse "Cannot link, file exists at destination"
            fi
        fi
        ;;
    *)
        say with_dest "$path"
        say with_src "$src"
        refuse "Cannot link: different hard link exists at destination"
        ;;
    esac
    if [ -n "$changed" ] && [ -z "$check" ]; then
        if [ -n "$follow" ] && [ -L "$src" ]; then _from=$(readlink -f -- "$src"); else _from=$src; fi
        _error=$(ln -fn -- "$_from" "$path" 2>&1) || refuse_at "$path" "Error while linking: $_error"
    fi
    say src "$src"
    if [ -n "$check" ] && [ ! -e "$path" ]; then finish; fi
    attributes "$path"
    stamps "$path"
    finish
}

expand "$path"
path=$expanded
expand "$src"
src=$expanded
case $state in
'link' | absent) ;;
*) if [ -n "$src" ] && [ -d "$path" ]; then path=${path%/}/${src##*/}; fi ;;
esac
kind_of "$path"
if [ -z "$state" ]; then
    state=$kind
    if [ "$kind" = absent ]; then
        if [ -n "$recurse" ]; then state=directory; else state='file'; fi
    fi
fi
case $state in
'link' | hard) ;;
*) [ -z "$src" ] || refuse_at "$path" "src option requires state to be 'link' or 'hard'" ;;
esac
if [ -n "$recurse" ] && [ "$state" != directory ]; then refuse_at "$path" "recurse option requires state to be 'directory'"; fi
# What is not said stays as it is; touching means now.
if [ "$state" = touch ]; then _time=now; else _time=preserve; fi
mtime=${mtime:-$_time}
atime=${atime:-$_time}

case $state in
absent) absent ;;
touch) touch_file ;;
directory) directory ;;
'link') symlink ;;
hard) hardlink ;;
*) plain_file ;;
esac
