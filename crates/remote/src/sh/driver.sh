# shellcheck shell=sh disable=SC2016,SC2154
# The loop that stays open on a machine. It is read as one line (see `quote.rs`), after which its standard input carries
# requests and its outputs carry frames; `protocol.rs` is the other end. `_hello` (a nonce), `_shell` and `_worker` are set.
#
#   run NONCE PROGRAM INPUT   followed by INPUT bytes, then by the program: PROGRAM bytes, or one line when that is 0
#   kill SIGNAL               for the process group of the running command
#   done                      the frame has arrived, the next request may come
#
# Names begin with `_`, so that none is an exported variable of the machine, which would show in the commands' environment.
exec 3<&0 4>&1 5>&2 </dev/null >/dev/null 2>&1
# Where the login user's home is closed to the user that was become, commands would complain about their directory.
if [ ! -r . ] || [ ! -x . ]; then cd || cd /; fi
if command -v setsid; then
  _lead=setsid
else
  _lead=lead
fi
_take=

# Without `setsid` (macOS), job control makes the process group. dash and ash have none without a terminal: there the
# command itself can be ended, and not what it started. Its input is named, since `&` would take it away.
lead() {
  set -m
  { "$@" <&9 9<&- & } 9<&0
  wait "$!"
}

# Payloads must be taken from the stream exact to the byte. GNU's `head` does that, BusyBox's reads ahead; there `dd` does.
choose_take() {
  if [ "$(printf 'ab\ncd\n' | { head -c 3 >/dev/null; cat; })" = cd ]; then
    _take='take() { head -c "$1"; }'
  elif [ "$(printf 'ab\ncd\n' | { dd bs=3 count=1 iflag=fullblock >/dev/null; cat; })" = cd ]; then
    _take='take() {
      if [ "$1" -ge 65536 ]; then dd bs=65536 count="$(($1 / 65536))" iflag=fullblock 2>/dev/null; fi
      if [ "$(($1 % 65536))" -gt 0 ]; then dd bs="$(($1 % 65536))" count=1 iflag=fullblock 2>/dev/null; fi
    }'
  else
    _take='take() { dd bs=1 count="$1" 2>/dev/null; }'
  fi
  eval "$_take"
}

# Runs beside the command: hears `kill` and `done`, and notices when nobody is there any more. The group's number comes
# from the worker once it has read its payload; not before that may anyone else read the requests.
watch() {
  read -r _group
  while IFS=' ' read -r _verb _signal <&3; do
    case $_verb in
    done) return ;;
    kill) kill -s "$_signal" -- "-$_group" || kill -s "$_signal" "$_group" ;;
    esac
  done
  # The connection is gone. A command that still runs goes too; what a finished one left in the background stays.
  if kill -0 "$_group"; then
    kill -s TERM -- "-$_group" || kill -s TERM "$_group"
    for _grace in 1 2 3; do
      kill -0 -- "-$_group" || break
      sleep 1
    done
    kill -s KILL -- "-$_group"
  fi
  kill -s TERM 0
}

printf '%se;' "$_hello" >&5
printf '%se;' "$_hello" >&4

# The command's outputs go through a `cat` each, so that a frame ends where its pipes end, and what a process in the
# background writes later can't get into another frame. Nothing is started with `&`: it would ignore SIGINT for good.
while IFS=' ' read -r _verb _nonce _program _input <&3; do
  [ "$_verb" = run ] || continue
  [ -n "$_take" ] || [ "$_program$_input" = 00 ] || choose_take
  {
    {
      {
        {
          if [ "$_input" -gt 0 ]; then
            # `tail` holds the whole input, so that the stream is free again although the command reads slowly or never;
            # the empty line before it comes out when all is in.
            {
              echo
              take "$_input" <&3
            } | tail -c "$((_input + 1))" | {
              read -r _blank
              $_lead "$_shell" -c "$_worker" sh "$_program" "$_take" 2>&8 8>&-
            }
          else
            $_lead "$_shell" -c "$_worker" sh "$_program" "$_take" </dev/null 2>&8 8>&-
          fi
        } 8>&2 2>/dev/null
        printf '%sx%s;' "$_nonce" "$?" >&4
      } 2>&1 >&7 7>&- | cat >&5 7>&-
      printf '%se;' "$_nonce" >&5
    } 7>&1 | cat >&4
    printf '%se;' "$_nonce" >&4
  } 6>&1 | watch
done
