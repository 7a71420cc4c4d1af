# shellcheck shell=sh
# stat: PATH FOLLOW SUM MIME ATTRIBUTES
# shellcheck disable=SC2154 # $expanded comes from the shared functions
follow=$2 sum=$3 mime=$4 attributes=$5
expand "$1"
path=$expanded
export LC_ALL=C

# The times need the words of %x: BusyBox knows no fractions of seconds otherwise.
format='%f %u %g %s %i %d %h %b %o %t %T %U %G|%x|%y|%z'
if [ -n "$follow" ]; then facts=$(stat -L -c "$format" -- "$path" 2>&1)
else facts=$(stat -c "$format" -- "$path" 2>&1)
fi || case $facts in
*'No such file or directory'*)
    say path "$path"
    end
    ;;
*) refuse "${facts##*: }" ;;
esac
say facts "$facts"
say path "$path"
if [ -r "$path" ]; then say readable 1; fi
if [ -w "$path" ]; then say writeable 1; fi
if [ -x "$path" ]; then say executable 1; fi
if [ -L "$path" ] && [ -z "$follow" ]; then
    say lnk_source "$(readlink -f -- "$path")"
    say lnk_target "$(readlink -- "$path")"
elif [ -n "$sum" ] && [ -f "$path" ] && [ -r "$path" ]; then
    command -v "$sum" >/dev/null || refuse "There is no $sum on this machine"
    checksum=$("$sum" <"$path") && say checksum "${checksum%% *}"
fi
if [ -n "$mime" ] && command -v file >/dev/null; then
    found=$(file --mime-type --mime-encoding -- "$path" 2>/dev/null) && say mime "${found##*:}"
fi
if [ -n "$attributes" ] && command -v lsattr >/dev/null; then
    found=$(lsattr -vd -- "$path" 2>/dev/null) && say attributes "$found"
fi
end
