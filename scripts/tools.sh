#!/bin/sh
# Builds the tools that the sandbox and the tests run, from the Go modules that tools/*/go.mod pin, into .tools/bin or
# $CLUSTER_TOOLS_DIR. Only what is missing or has changed is built.
#
#   scripts/tools.sh               what `make demo` needs
#   scripts/tools.sh kwok helm     these
#   scripts/tools.sh all           kubectl and helm4 as well
#
# kubelet and kube-proxy are for `cluster sandbox up --real-node`, telegraf is for `make bench`: built only by name.
set -eu
called_from=$PWD
cd "$(dirname "$0")/.."
. scripts/lib.sh

demo="kube-apiserver kube-controller-manager kube-scheduler etcd kwok helm"
all="$demo kubectl helm4"

case ${CLUSTER_TOOLS_DIR:-} in
    '') out=$PWD/.tools/bin ;;
    /*) out=$CLUSTER_TOOLS_DIR ;;
    *) out=$called_from/$CLUSTER_TOOLS_DIR ;;
esac

# The tools are for this machine, whatever else is being compiled.
unset GOOS GOARCH
export CGO_ENABLED=0 GOWORK=off
# The compiler collects its garbage a quarter as often: a third less processor time for Kubernetes' packages (122 s instead of 182 s
# for client-go), for some hundred MB more of memory.
export GOGC="${GOGC:-400}"
flags="-trimpath -buildvcs=false -mod=readonly"
# What makes the cold build faster, measured on two cores. No debug information, which the linker would drop anyway:
# 13 % less compiling. Nothing inlined in Kubernetes' own packages, most of which are generated: 25 % less for them, with
# start and memory of the control plane as before and at most 5 % more processor time under load. Doing the same to
# all packages, the standard library included, slows the API server's start by half.
everywhere="-gcflags=all=-dwarf=false"
generated="-gcflags=k8s.io/...=-dwarf=false -l"

# pinned <folder> <module>: the version that a go.mod asks for.
pinned() {
    awk -v module="$2" '{ sub(/^require/, "") } $1 == module { print $2; exit }' "tools/$1/go.mod"
}

# describe <tool>: sets folder, package, version, and link: the flags of the linker, which also write the version into
# the binary, as each project's own Makefile does.
describe() {
    case $1 in
        kube-apiserver | kube-controller-manager | kube-scheduler) folder=kubernetes module=k8s.io/kubernetes package=. ;;
        etcd) folder=kubernetes module=go.etcd.io/etcd/server/v3 package=. ;;
        kubectl | kubelet | kube-proxy) folder=kubernetes module=k8s.io/kubernetes package=$module/cmd/$1 ;;
        kwok) folder=clients module=sigs.k8s.io/kwok package=$module/cmd/kwok ;;
        helm) folder=clients module=helm.sh/helm/v3 package=$module/cmd/helm ;;
        helm4) folder=helm4 module=helm.sh/helm/v4 package=$module/cmd/helm ;;
        telegraf) folder=telegraf module=github.com/influxdata/telegraf package=. ;;
        *) fail "\`$1\` is not a tool that is built here" "the tools are: $all kubelet kube-proxy telegraf; demo and all name several" ;;
    esac
    version=$(pinned "$folder" "$module")
    link="-s -w"
    case $1:$folder in
        *:kubernetes)
            kubernetes=$(pinned kubernetes k8s.io/kubernetes)
            minor=${kubernetes#v1.}
            set -- "gitVersion=$kubernetes" gitMajor=1 "gitMinor=${minor%%.*}" gitTreeState=clean
            for variable; do link="$link -X k8s.io/component-base/version.$variable"; done
            ;;
        helm:*)
            client=$(pinned clients k8s.io/client-go)
            minor=${client#v0.}
            link="$link -X $module/internal/version.version=$version -X $module/internal/version.metadata="
            for variable in chartutil lint/rules; do
                variable=$module/pkg/$variable.k8sVersion
                link="$link -X ${variable}Major=1 -X ${variable}Minor=${minor%%.*}"
            done
            ;;
        helm4:*) link="$link -X $module/internal/version.version=$version -X $module/internal/version.metadata=" ;;
    esac
}

# The described tool's inputs as one word.
stamp() {
    {
        printf '%s\n' "$go" "$flags" "$everywhere" "$generated" "$link" "$package"
        cat "tools/$folder/go.mod" "tools/$folder/go.sum"
        [ "$package" != . ] || cat "tools/$folder/main.go"
    } | hash_input
}

# up_to_date <tool>, after describe: also sets wanted, the stamp that it should have.
up_to_date() {
    wanted=$(stamp)
    have=
    [ ! -f "$out/.stamps/$1" ] || read -r have <"$out/.stamps/$1" || have=
    [ -x "$out/$1" ] && [ "$have" = "$wanted" ]
}

# Go decides itself whether it is new enough, and fetches a newer one where GOTOOLCHAIN allows that.
check_go() {
    reason=$(cd "tools/$folder" && go list -m 2>&1) && return
    needed=$(awk '$1 == "go" { print $2; exit }' "tools/$folder/go.mod")
    fail "tools/$folder can not be built with this Go: ${reason#go: }" \
        "install Go $needed or newer (https://go.dev/doc/install), or let Go fetch it: GOTOOLCHAIN=auto"
}

# compile <package> <binary>: in the background, so that a signal is answered at once.
compile() {
    # shellcheck disable=SC2086 # the flags are words
    (cd "tools/$folder" && GOTMPDIR=$temporary exec go build $flags "$everywhere" "$generated" -ldflags "$link" -o "$2" "$1") \
        >"$temporary/log" 2>&1 &
    child=$!
    [ -t 2 ] || say "building $name $version ($step) …"
    while [ -t 2 ] && kill -0 "$child" 2>/dev/null; do
        printf '\rtools: building %s %s (%s) … %s ' "$name" "$version" "$step" "$(elapsed_since "$start")" >&2
        sleep 1
    done
    [ ! -t 2 ] || printf '\r\033[K' >&2
    if ! wait "$child"; then
        grep -v '^go: downloading' "$temporary/log" | head -n 30 >&2
        fail "$name $version could not be built" \
            "Go's reason stands above; when it is the network, see \`go env GOPROXY\`: the first build fetches modules" 1
    fi
    child=
}

# The parts of the control plane are one binary, which is compiled for the first of them and linked to for the others.
build() {
    start=$(date +%s)
    if [ "$folder:$package" = kubernetes:. ]; then
        [ -x "$temporary/control-plane" ] || compile . "$temporary/control-plane"
        ln "$temporary/control-plane" "$temporary/$name" 2>/dev/null || cp "$temporary/control-plane" "$temporary/$name"
    else
        compile "$package" "$temporary/$name"
    fi
    rm -f "$out/.stamps/$name"
    mv -f "$temporary/$name" "$out/$name"
    printf '%s\n' "$wanted" >"$out/.stamps/$name"
    say "$name $version is built ($step, $(elapsed_since "$start"))"
}

interrupted() {
    trap '' INT TERM HUP
    if [ -n "$child" ]; then
        kill -INT "$child" 2>/dev/null || true
        wait "$child" || true
    fi
    say "interrupted; the tools that were finished stay"
    exit 130
}

need go "install Go 1.26 or newer (https://go.dev/doc/install): the tools are built from source"
go=$(go env GOVERSION GOOS GOARCH)

names=
for argument in "${@:-demo}"; do
    case $argument in
        demo) names="$names $demo" ;;
        all) names="$names $all" ;;
        *) names="$names $argument" ;;
    esac
done

pending=
for name in $names; do
    describe "$name"
    if up_to_date "$name"; then
        say "$name $version is up to date"
    else
        check_go
        pending="$pending $name"
    fi
done
[ -n "$pending" ] || exit 0

mkdir -p "$out/.stamps"
lock "$out/.lock"
if command -v flock >/dev/null 2>&1; then
    rm -rf "$out"/.build.* # left by a run that was killed; nobody else is at work now
fi
child=
temporary=$(mktemp -d "$out/.build.XXXXXX")
trap 'rm -rf "$temporary"' EXIT
trap interrupted INT TERM HUP

# shellcheck disable=SC2086 # one word for each tool
set -- $pending
number=0
for name; do
    number=$((number + 1))
    step=$number/$#
    describe "$name"
    if up_to_date "$name"; then say "$name $version is up to date"; else build; fi
done
