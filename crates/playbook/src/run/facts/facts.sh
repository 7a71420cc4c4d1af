# Prints what is known about the machine: `name=value` lines, then sections of files as they are. POSIX sh, BusyBox tools.
say() {
    printf '%s=%s\n' "$1" "$2"
}
say nodename "$(uname -n)"
say system "$(uname -s)"
say kernel "$(uname -r)"
say kernel_version "$(uname -v)"
say machine "$(uname -m)"
address=$(getent hosts "$(uname -n)" 2>/dev/null | head -n 1)
say names "$(getent hosts "${address%% *}" 2>/dev/null | head -n 1)"
say fqdn "$(hostname -f 2>/dev/null || uname -n)"
say user_id "$(id -un)"
say user_uid "$(id -u)"
say user_gid "$(id -g)"
say real_user_id "$(id -ru)"
say real_group_id "$(id -rg)"
say passwd "$(getent passwd "$(id -un)" 2>/dev/null || grep "^$(id -un):" /etc/passwd)"
say vcpus "$(nproc 2>/dev/null || grep -c '^processor' /proc/cpuinfo)"
say date "$(date '+%Y %m %d %H %M %S %z %Z %s %u %A %w %W')"
say utc "$(date -u '+%Y-%m-%dT%H:%M:%S')"
say init "$(cat /proc/1/comm 2>/dev/null)"
say debian_version "$(cat /etc/debian_version 2>/dev/null)"
say route "$(ip -4 route get 1.1.1.1 2>/dev/null | head -n 1)"
say addresses "$(ip -4 -o addr show 2>/dev/null | while read -r _ _ _ address _; do printf '%s ' "$address"; done)"
for program in apt-get dnf yum apk pacman zypper; do
    if command -v "$program" >/dev/null 2>&1; then
        say package_manager "$program"
        break
    fi
done
say python "$(command -v python3 2>/dev/null)"
printf '[meminfo]\n'
cat /proc/meminfo 2>/dev/null
printf '[os-release]\n'
cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release 2>/dev/null
printf '[env]\n'
env
