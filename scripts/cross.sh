#!/bin/sh
# A Rust compiler with the standard library of arm64, from Debian 12's packages, into .tools/cross: for machines on which
# `rustup target add aarch64-unknown-linux-gnu` cannot download one. Nothing is installed; root is not needed. Debian's
# `rustc-web` is the compiler that its browsers are built with, and newer than the one that the workspace pins, so what it
# builds shows that arm64 works; releases are built with the pinned one.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

target=aarch64-unknown-linux-gnu
place=$PWD/.tools/cross/$target
[ "$(uname -sm)" = "Linux x86_64" ] || fail "this is not Linux on x86_64" "run rustup target add $target"
for program in apt-get dpkg dpkg-deb; do need "$program" "run rustup target add $target"; done
need aarch64-linux-gnu-gcc "install a cross compiler: apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
if [ -f "$place/environment" ]; then
    say "the compiler for arm64 is there"
    exit
fi

mkdir -p "$place"
lock "$place/.lock"
work=$(mktemp -d "$place/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
for suite in "debian bookworm" "debian-security bookworm-security"; do
    echo "deb [arch=amd64,arm64 signed-by=$keys] http://deb.debian.org/$suite main"
done >"$work/cross.list"

# apt: with lists and a cache of its own, so that the system's are left alone.
apt() {
    command=$1
    shift
    (cd "$work/debs" && "apt-$command" -qq -o "Dir::Etc::SourceList=$work/cross.list" -o Dir::Etc::SourceParts=/dev/null \
        -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User= \
        -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 "$@") 2>"$work/log" || {
        cat "$work/log" >&2
        fail "Debian's packages could not be fetched" "see apt's words above" 1
    }
}

say "fetching Debian's compiler and the standard library of arm64"
apt get update
apt get download rustc-web libstd-rust-web-dev libstd-rust-web-dev:arm64
# The library of the compiler itself, and LLVM: packages whose names have their versions in them.
needed=$(dpkg-deb -f "$work"/debs/libstd-rust-web-dev_*_amd64.deb Depends | grep -o 'libstd-rust-web-[0-9][0-9.]*' | head -n 1)
apt get download "$needed"
needed=$(dpkg-deb -f "$work"/debs/libstd-rust-web-[0-9]*.deb Depends | grep -o 'libllvm[0-9]*')
apt get download "$needed"
rm -rf "$place/root"
for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$place/root"; done

libraries=$place/root/usr/lib/x86_64-linux-gnu
cat >"$place/rustc" <<END
#!/bin/sh
LD_LIBRARY_PATH=$libraries exec $place/root/usr/bin/rustc "\$@"
END
chmod +x "$place/rustc"
version=$("$place/rustc" --version | cut -d ' ' -f 2)
wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
[ "$(printf '%s\n%s\n' "$wanted" "$version" | sort -V | head -n 1)" = "$wanted" ] ||
    fail "Debian's compiler is $version, older than $wanted" "run rustup target add $target where it can download" 1
echo "export RUSTC=$place/rustc" >"$place/environment"
say "Rust $version for arm64 is ready"
