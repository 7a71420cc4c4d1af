# shellcheck shell=sh
# wait_for: WANT HOST PORT PATH TIMEOUT CONNECT_TIMEOUT DELAY SLEEP STATES EXCLUDED ADDRESSES READ
# WANT is port, no-port, path, no-path, drained or nothing. With READ, what is found to read is handed over as the payload.
# shellcheck disable=SC2154 # $expanded comes from the shared functions
want=$1 host=$2 port=$3 path=$4 timeout=$5 connect_timeout=$6 delay=$7 pause=$8 states=$9
shift 9
excluded=$1 addresses=$2 read=$3

# clock: $clock is the time in hundredths of a second, from some moment on.
clock() {
    # /proc/uptime costs no process; it is 0.xx only in the first second after a start.
    if read -r clock _ 2>/dev/null </proc/uptime; then clock=${clock#0.0} && clock=${clock#0.} && clock=${clock%.*}${clock#*.}
    else clock=$(date +%s)00
    fi
}

# elapsed: $elapsed is for how many seconds it has waited.
elapsed() { clock && elapsed=$(((clock - start) / 100)); }

finish() {
    say met "$1"
    elapsed
    say elapsed "$elapsed"
    [ -z "$path" ] || say path "$path"
    [ -z "$path" ] || about "$path"
    end
}

# limited COMMAND...: for no longer than a connection may take.
limited() {
    if [ -n "$has_timeout" ]; then timeout "$connect_timeout" "$@"; else "$@"; fi
}

# How connections can be tried here; the first that works is taken.
choose_probe() {
    has_timeout=
    if command -v timeout >/dev/null 2>&1 && timeout 1 true 2>/dev/null; then has_timeout=1; fi
    if command -v nc >/dev/null 2>&1; then
        case $(nc -h 2>&1) in
        *BusyBox*) nc_kind=busybox ;;
        *' -z'* | *-[a-zA-Z]*z[a-zA-Z]*']'*) nc_kind=zero ;;
        *) nc_kind= ;;
        esac
    else nc_kind=
    fi
    if [ "$nc_kind" = zero ] && [ -z "$read" ]; then probe=nc_zero
    elif command -v bash >/dev/null 2>&1 && bash -c 'exec 3<>/dev/tcp/127.0.0.1/0' 2>&1 | grep -qv 'No such file'; then probe=bash
    elif [ -n "$nc_kind" ]; then probe=nc_plain
    elif command -v python3 >/dev/null 2>&1; then probe=python
    elif [ -r /proc/net/tcp ] && [ -z "$read" ]; then
        case $host in
        127.* | localhost | ::1 | 0.0.0.0) probe=proc ;;
        *) probe= ;;
        esac
    else probe=
    fi
    if [ -z "$probe" ]; then
        say with_hint 'install nc, bash or python3 on it'
        refuse "there is nothing on this machine to try a connection to $host:$port with (nc, bash or python3)"
    fi
}

# try_port: whether the port takes a connection; with $read, what it says comes out.
try_port() {
    case $probe in
    nc_zero) limited nc -z -w "$connect_timeout" "$host" "$port" >/dev/null 2>&1 </dev/null ;;
    nc_plain)
        if [ -n "$read" ]; then limited nc -w "$connect_timeout" "$host" "$port" 2>/dev/null
        else limited nc -w "$connect_timeout" "$host" "$port" >/dev/null 2>&1
        fi </dev/null
        ;;
    bash)
        # shellcheck disable=SC2016 # bash expands it
        if [ -n "$read" ]; then limited bash -c 'exec 3<>"/dev/tcp/$0/$1" && cat <&3' "$host" "$port" 2>/dev/null
        else limited bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$host" "$port" 2>/dev/null
        fi </dev/null
        ;;
    python)
        python3 -c '
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3]))
try:
    while sys.argv[4]:
        d = s.recv(4096)
        if not d:
            break
        sys.stdout.buffer.write(d)
except OSError:
    pass
' "$host" "$port" "$connect_timeout" "$read" 2>/dev/null </dev/null
        ;;
    proc) listens ;;
    esac
}

# listens: whether a socket of this machine listens on the port (state 0A).
listens() {
    _hex=$(printf '%04X' "$port")
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q "^ *[0-9]*: [0-9A-F]*:$_hex [0-9A-F]*:[0-9A-F]* 0A "
}

# busy: whether a connection to the local port is in one of the states, from none of the excluded hosts.
busy() {
    _hex=$(printf '%04X' "$port")
    for _file in /proc/net/tcp /proc/net/tcp6; do
        [ -r "$_file" ] || continue
        while read -r _ _local _remote _state _; do
            case $_local in *":$_hex") ;; *) continue ;; esac
            case " $states " in *" $_state "*) ;; *) continue ;; esac
            case " $excluded " in *" ${_remote%:*} "*) continue ;; esac
            case $addresses in
            '*') ;;
            *) case " $addresses " in *" ${_local%:*} "*) ;; *) continue ;; esac ;;
            esac
            return 0
        done <"$_file"
    done
    return 1
}

# ready: whether what is waited for is the case now.
ready() {
    case $want in
    port) try_port ;;
    no-port) ! try_port ;;
    path) [ -e "$path" ] ;;
    no-path) [ ! -e "$path" ] && [ ! -L "$path" ] ;;
    drained) ! busy ;;
    esac
}

clock
start=$clock
if [ -n "$path" ]; then expand "$path" && path=$expanded; fi
[ "$delay" -le 0 ] || sleep "$delay"
if [ -z "$want" ]; then
    sleep "$timeout"
    finish 1
fi
case $want in *port) choose_probe ;; esac

# What is read is judged by the other side, which comes again with the time that is left.
if [ -n "$read" ]; then
    if [ "$want" = path ]; then
        if [ ! -f "$path" ]; then finish ''; fi
        say path "$path"
        about "$path"
        printf 'payload=\0'
        cat -- "$path"
        exit 0
    fi
    printf 'payload=\0'
    try_port
    exit 0
fi
while elapsed && [ "$elapsed" -lt "$timeout" ]; do
    if ready; then finish 1; fi
    sleep "$pause"
done
finish ''
