#!/bin/sh
# Builds OCI images of our services (every package with `[package.metadata.image]`) from static binaries, without a container
# engine: an image layout and an archive of each in target/images.
#
#   scripts/images.sh                     for this machine's architecture
#   scripts/images.sh --arch arm64        for another one; twice for an image of both
#   scripts/images.sh --package iot-sim   only this one; may be given several times
#   scripts/images.sh --twice             all of it again from a copy elsewhere, and compares digests (slow)
#   scripts/images.sh --run               starts each image with runc, read-only and as its user, and asks for /health
#
# Other architectures need a Rust standard library for them (`rustup target add …`) and a cross compiler for the C parts;
# scripts/cross.sh gets both from Debian's packages where rustup cannot.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

out=target/images
archs='' only='' twice='' run=''
while [ $# -gt 0 ]; do
    case $1 in
        --arch)
            [ $# -gt 1 ] || fail "\`--arch\` needs a value" "write --arch amd64 or --arch arm64"
            archs="${archs:+$archs }$2"
            shift
            ;;
        --package)
            [ $# -gt 1 ] || fail "\`--package\` needs a value" "write --package data-ingestion"
            only="$only $2"
            shift
            ;;
        --twice) twice=1 ;;
        --run) run=1 ;;
        *) fail "unknown option \`$1\`" "the options are: --arch, --package, --twice, --run" ;;
    esac
    shift
done

# machine_of <architecture>: Rust's and GNU's name of it.
machine_of() {
    case $1 in
        amd64) echo x86_64 ;;
        arm64) echo aarch64 ;;
        *) fail "\`$1\` is not an architecture of the boards" "the architectures are: amd64 arm64" ;;
    esac
}

case $(uname -m) in
    x86_64) here=amd64 ;;
    aarch64 | arm64) here=arm64 ;;
    *) fail "images are built on amd64 and arm64, not on $(uname -m)" "run it on another machine" ;;
esac
[ "$(uname -s)" = Linux ] || fail "static binaries are linked on Linux" "run it on Linux, or use services/Containerfile"
archs=${archs:-$here}
need cargo "install Rust with rustup: https://rustup.rs"
need cc "install a C compiler: apt-get install gcc libc6-dev"

# The sources' commit and its time: what makes two builds of the same commit the same.
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
[ -z "$(git status --porcelain 2>/dev/null)" ] || revision=$revision-dirty
created=$(TZ=UTC0 git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null || echo 1970-01-01T00:00:00Z)

# packages: the names of those that become images.
packages() {
    # shellcheck disable=SC2086 # each name is a word
    [ -z "$only" ] || { printf '%s\n' $only; return; }
    for manifest in services/*/Cargo.toml; do
        ! grep -q '^\[package\.metadata\.image\]' "$manifest" || sed -n 's/^name = "\(.*\)"$/\1/p' "$manifest" | head -n 1
    done
}

# compile <architecture> <target directory>: static binaries without a path of this machine in them.
compile() {
    machine=$(machine_of "$1")
    target=$machine-unknown-linux-gnu
    cargo_home=${CARGO_HOME:-$HOME/.cargo}
    rustflags="-C target-feature=+crt-static --remap-path-prefix=$PWD=/src --remap-path-prefix=$cargo_home=/cargo"
    cflags="-ffile-prefix-map=$PWD=/src -ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$2=/build"
    set -- "$@" --release --locked --target "$target" --target-dir "$2"
    shift 2
    for package in $(packages); do set -- "$@" --package "$package"; done
    if [ "$machine" != "$(uname -m)" ]; then
        # The environment of a cross build, where it was set up; else what rustup and the system have.
        if [ -f ".tools/cross/$target/environment" ]; then
            # shellcheck source=/dev/null
            . ".tools/cross/$target/environment"
        else
            rustup target list --installed 2>/dev/null | grep -qx "$target" ||
                fail "there is no Rust standard library for $target" "rustup target add $target, or scripts/cross.sh (Debian)"
            need "$machine-linux-gnu-gcc" "install a cross compiler: apt-get install gcc-$machine-linux-gnu"
        fi
        variable=$(echo "$target" | tr 'a-z-' 'A-Z_')
        export "CARGO_TARGET_${variable}_LINKER=$machine-linux-gnu-gcc"
        export "CC_$(echo "$target" | tr - _)=$machine-linux-gnu-gcc"
    fi
    SOURCE_DATE_EPOCH=0 RUSTFLAGS=$rustflags CFLAGS=$cflags cargo build --quiet "$@"
}

# images <target directory> <out>: prints a line per image.
images() {
    directory=$1 place=$2
    set --
    for arch in $archs; do
        set -- "$@" --binaries "$arch=$directory/$(machine_of "$arch")-unknown-linux-gnu/release"
    done
    for package in $only; do set -- "$@" --package "$package"; done
    cargo metadata --no-deps --format-version 1 --locked --offline |
        "$directory/release/image" "$@" --out "$place" --revision "$revision" --created "$created"
}

# build <target directory> <out>
build() {
    # What one architecture needs in its environment is not for the other.
    for arch in $archs; do (compile "$arch" "$1") || exit; done
    cargo build --quiet --release --locked --package image --target-dir "$1"
    images "$1" "$2"
}

start=$(date +%s)
say "compiling $(packages | tr '\n' ' ')for $archs: static, optimised"
first=$(build "${CARGO_TARGET_DIR:-$PWD/target}" "$out")
printf '%s\n' "$first"
say "image layouts and archives are in $out ($(elapsed_since "$start"))"

if [ -n "$twice" ]; then
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    trap 'exit 130' INT TERM
    say "building again from a copy in $copy"
    git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- -cf - | tar -xf - -C "$copy"
    [ ! -d .tools/cross ] || { mkdir "$copy/.tools" && ln -s "$PWD/.tools/cross" "$copy/.tools/cross"; }
    second=$(cd "$copy" && build "$copy/target" "$copy/images")
    [ "$first" = "$second" ] || { printf '%s\n' "$second" >&2; fail "the second build gave other digests" "compare them above" 1; }
    say "the second build gave the same bytes"
fi

[ -z "$run" ] || scripts/images-run.sh
