# shellcheck shell=sh
# uri: URL PLAIN HAS_BODY SRC DEST CREATES REMOVES STATUS_CODES CONTENT OWNER GROUP MODE_STEPS TIMEOUT FORCE
# Standard input is curl's configuration, where secrets may stand, an empty line, and the body. PLAIN is set for what wget can do.
# shellcheck disable=SC2154,SC2034 # the shared functions set and use variables
url=$1 plain=$2 has_body=$3 src=$4 dest=$5 creates=$6 removes=$7 codes=$8 content=$9
shift 9
owner=$1 group=$2 mode_steps=$3 timeout=$4 force=$5
changed='' check=''

if [ -n "$creates" ]; then
    expand "$creates"
    if [ -e "$expanded" ]; then say skipped "skipped, since '$expanded' exists" && end; fi
fi
if [ -n "$removes" ]; then
    expand "$removes"
    [ -e "$expanded" ] || { say skipped "skipped, since '$expanded' does not exist" && end; }
fi
umask_before=$(umask)
umask 077
work=$(mktemp -d) || refuse 'Could not make a temporary directory'
temporary=
trap 'rm -rf -- "$work" ${temporary:+"$temporary"}' EXIT
trap 'exit 1' HUP INT TERM

while IFS= read -r line && [ -n "$line" ]; do printf '%s\n' "$line"; done >"$work/config"
if [ -n "$src" ]; then
    expand "$src"
    cat -- "$expanded" >"$work/body" 2>/dev/null || refuse "Unable to open source file $expanded"
elif [ -n "$has_body" ]; then cat >"$work/body"
fi
if [ -n "$dest" ]; then
    expand "$dest"
    dest=$expanded
    if [ -f "$dest" ] && [ -z "$force" ]; then
        since=$(LC_ALL=C date -u -r "$dest" '+%a, %d %b %Y %H:%M:%S GMT') &&
            printf 'header = "If-Modified-Since: %s"\n' "$since" >>"$work/config"
    fi
fi
: >"$work/headers"
: >"$work/content"
effective=$url
if command -v curl >/dev/null 2>&1; then
    set -- -q --silent --show-error --config "$work/config" --dump-header "$work/headers" --output "$work/content"
    if [ -n "$has_body$src" ]; then set -- "$@" --data-binary "@$work/body"; fi
    told=$(curl "$@" --write-out '%{http_code} %{url_effective}' 2>"$work/errors") || say broken "$(cat -- "$work/errors")"
    status=${told%% *}
    [ -z "$told" ] || effective=${told#* }
elif [ -n "$plain" ] && command -v wget >/dev/null 2>&1; then
    # Not by its -T, on which the BusyBox of Debian 12 crashes.
    set --
    if command -v timeout >/dev/null 2>&1; then set -- timeout "$timeout"; fi
    "$@" wget -q -S -O "$work/content" -- "$url" 2>"$work/told" || :
    sed -n 's/^ *\(HTTP\/[0-9.]* [0-9].*\)/\1/p; s/^ *\([A-Za-z0-9-]*: .*\)/\1/p' "$work/told" | grep -v '^wget: ' >"$work/headers"
    status=$(sed -n 's/^HTTP\/[0-9.]* \([0-9]*\).*/\1/p' "$work/headers" | tail -n 1)
    if [ -z "$status" ]; then
        # BusyBox tells the status of a failure only in its message.
        status=$(sed -n 's/.*server returned error: HTTP\/[0-9.]* \([0-9]*\).*/\1/p' "$work/told")
        sed -n 's/.*server returned error: \(HTTP\/.*\)/\1/p' "$work/told" >"$work/headers"
    fi
    [ -n "$status" ] || say broken "$(grep . "$work/told" | tail -n 1)"
else
    say with_hint 'install curl on the machine'
    if [ -n "$plain" ]; then refuse 'this machine has neither curl nor wget'; fi
    refuse 'this machine has no curl, which requests like this one need'
fi
umask "$umask_before"
say status "${status:-0}"
say effective "$effective"
say headers "$(cat -- "$work/headers")"

good=
case " $codes " in *" $status "*) good=1 ;; esac
if [ -n "$dest" ] && [ "${status:-0}" != 0 ] && [ "${status:-0}" != 000 ]; then
    if [ -d "$dest" ]; then
        name=${effective%%[?#]*} && name=${name##*/}
        dest=${dest%/}/${name:-index.html}
    fi
    if [ -n "$good" ] && [ "$status" != 304 ]; then
        if ! cmp -s -- "$work/content" "$dest"; then
            case $dest in
            */*) temporary=${dest%/*}/.cluster-${work##*/} ;;
            *) temporary=./.cluster-${work##*/} ;;
            esac
            { cat -- "$work/content" >"$temporary"; } 2>/dev/null || refuse "failed to copy the content to $dest: ${temporary%/*} is not writable"
            if [ -e "$dest" ]; then chmod "0$(stat -L -c %a -- "$dest")" "$temporary"; fi
            _error=$(mv -f -- "$temporary" "$dest" 2>&1) || refuse "failed to copy the content to $dest: $_error"
            temporary=
        fi
        attributes "$dest"
        changed=1
    fi
    say path "$dest"
    about "$dest"
fi
say changed "$changed"
if [ -n "$content" ] || [ "${status:-0}" -ge 300 ] 2>/dev/null || grep -qi '^content-type:.*\(json\|javascript\)' "$work/headers"; then
    printf 'payload=\0'
    cat -- "$work/content"
    exit 0
fi
end
