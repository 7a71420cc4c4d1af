# shellcheck shell=sh
# Runs one command: a process of its own that leads its own group, so that `exit`, `cd`, `set` and `$$` mean what a script
# expects. `$1` is the program's length, 0 for one line; `$2` defines `take`. The program is not an argument: those show in `ps`.
_n='
'
if [ "$1" -gt 0 ]; then
  eval "$2"
  _p=$(take "$1" <&3)
else
  IFS= read -r _p <&3
fi
# A connection that breaks in the middle must not run half a program.
case $_p in
*'#end') ;;
*) exit 255 ;;
esac
echo "$$" >&6
exec 3<&- 4>&- 5>&- 6>&-
eval "$_p"
