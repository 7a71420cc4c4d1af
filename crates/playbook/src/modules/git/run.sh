# shellcheck shell=sh
# git: REPO DEST VERSION REMOTE REFSPEC REFERENCE FORCE DEPTH CLONE UPDATE BARE RECURSIVE SINGLE_BRANCH TRACK VERIFY SSH KEY EXECUTABLE
# UMASK CHECK DIFF
# shellcheck disable=SC2154 # $expanded comes from the shared functions
repo=$1 dest=$2 version=$3 remote=$4 refspec=$5 reference=$6 force=$7 depth=$8 clone=$9
shift 9
update=$1 bare=$2 recursive=$3 single=$4 track=$5 verify=$6 ssh=$7 key=$8 executable=$9
shift 9
mask=$1 check=$2 diff=$3
changed='' before='' after='' submodules='' mods='' url_changed=''

export LC_ALL=C LANGUAGE=C GIT_TERMINAL_PROMPT=0
if [ -n "$mask" ]; then umask "$mask"; fi
program=${executable:-git}
if [ -n "$executable" ]; then
    expand "$executable"
    program=$expanded
fi
command -v "$program" >/dev/null 2>&1 || {
    say with_hint "install git on the machine"
    refuse "Failed to find required executable \"$program\" in paths: $PATH"
}
program=$(command -v "$program")
errors=$(mktemp) || refuse 'Could not make a temporary file'
trap 'rm -f -- "$errors"' EXIT
trap 'exit 1' HUP INT TERM

# ssh asks nothing; the key's path reaches it through the environment, whatever characters it has.
GIT_SSH_COMMAND="${GIT_SSH:-${GIT_SSH_COMMAND:-ssh}} $ssh -o BatchMode=yes"
if [ -n "$key" ]; then
    expand "$key"
    GIT_KEY_FILE=$expanded
    export GIT_KEY_FILE
    # shellcheck disable=SC2089,SC2090 # git gives it to a shell
    GIT_SSH_COMMAND="$GIT_SSH_COMMAND -i \"\$GIT_KEY_FILE\" -o IdentitiesOnly=yes"
fi
# shellcheck disable=SC2090
export GIT_SSH_COMMAND

# git_here ARGUMENT...: in the repository; $out is what it said, $errors what it complained of.
git_here() { out=$("$program" -C "$dest" "$@" 2>"$errors" </dev/null); }

# failed RC MESSAGE COMMAND...: with what the last command said.
failed() {
    say with_rc "$1"
    say with_stdout "$out"
    say_file with_stderr "$errors"
    _message=$2
    shift 2
    say with_cmd "$program $*"
    say changed "$changed"
    refuse "$_message"
}

# must ARGUMENT...: fails with git's own words.
must() {
    git_here "$@" || {
        _rc=$?
        _message=$(cat -- "$errors")
        case $_message in
        *'dubious ownership'*)
            say with_hint "run the task as the owner of $dest (become_user), or add it to safe.directory in git's configuration"
            ;;
        esac
        failed "$_rc" "${_message:-$out}" "$@"
    }
}

head_of() { git_here rev-parse -q --verify "$1^{commit}" || out=; }

# head_branch: $branch is the branch that HEAD stands on or, if detached, the remote's main one.
head_branch() {
    if git_here symbolic-ref -q HEAD; then branch=${out#refs/heads/}
    elif git_here symbolic-ref -q "refs/remotes/$remote/HEAD"; then branch=${out#"refs/remotes/$remote/"}
    else
        must ls-remote --symref -- "$remote" HEAD
        branch=${out#ref: refs/heads/} && branch=${branch%%"$tab"*}
    fi
}

# look_up SOURCE BRANCH: $kind and $revision of the version there: a branch, a tag or, by its own name, a commit.
look_up() {
    kind=commit revision=$version
    _at=HEAD
    [ -z "$2" ] || _at=refs/heads/$2
    if [ -d "$dest" ]; then _in=$dest; else _in=/; fi
    out=$("$program" -C "$_in" ls-remote -- "$1" HEAD "refs/heads/$version" "refs/tags/$version" "refs/tags/$version^{}" "$_at" \
        2>"$errors" </dev/null) || failed $? "$(cat -- "$errors")" ls-remote "$1" -h "refs/heads/$version"
    _tag='' _peeled='' _branch='' _head=''
    while IFS=$tab read -r _sha _ref; do
        [ "$_ref" = "$_at" ] && _head=$_sha
        case $_ref in
        "refs/heads/$version") _branch=$_sha ;;
        "refs/tags/$version") _tag=$_sha ;;
        "refs/tags/$version^{}") _peeled=$_sha ;;
        esac
    done <<REFS
$out
REFS
    if [ "$version" = HEAD ]; then
        kind=head revision=$_head
        [ -n "$revision" ] || failed 0 "Could not determine remote revision for $version" ls-remote "$1"
    elif [ -n "$_branch" ]; then kind=branch revision=$_branch
    elif [ -n "$_tag" ]; then kind=tag revision=${_peeled:-$_tag}
    fi
}

tell_diff() {
    [ -n "$diff" ] || return 0
    if [ -z "$before" ]; then say prepared ">> Newly checked out $after"
    elif [ "$before" != "$after" ]; then
        if ! git_here diff "$before" "$after"; then say prepared ">> Failed to get proper diff between $before and $after:
>> $(cat -- "$errors")"
        elif [ -n "$out" ]; then say prepared "$out
"
        else say prepared ">> No visual differences between $before and $after"
        fi
    fi
}

finish() {
    say changed "$changed"
    say before "$before"
    say after "$after"
    tell_diff
    end
}

clone_it() {
    case $dest in */*) mkdir -p -- "${dest%/*}/" 2>/dev/null ;; esac
    _branch_of=
    if [ -n "$depth$single" ]; then
        look_up "$repo" ''
        case $kind in branch | tag) _branch_of=$version ;; esac
    fi
    set -- clone --quiet
    if [ -n "$bare" ]; then set -- "$@" --bare; else set -- "$@" --origin "$remote"; fi
    if [ -n "$depth" ]; then
        if [ "$version" = HEAD ] || [ -n "$refspec" ] || [ -n "$_branch_of" ]; then
            set -- "$@" --depth "$depth"
            if [ -n "$_branch_of" ] && [ -z "$refspec" ]; then set -- "$@" --branch "$_branch_of"; fi
        else
            say warning 'Ignoring depth argument. Shallow clones are only available for HEAD, branches, tags or in combination with refspec.'
        fi
    fi
    [ -z "$reference" ] || set -- "$@" --reference "$reference"
    if [ -n "$single" ]; then
        set -- "$@" --single-branch
        [ -z "$_branch_of" ] || set -- "$@" --branch "$_branch_of"
    fi
    out=$("$program" "$@" -- "$repo" "$dest" 2>"$errors" </dev/null) ||
        failed $? "$(cat -- "$errors")" "$@" "$repo" "$dest"
    if [ -n "$bare" ] && [ "$remote" != origin ]; then must remote add -- "$remote" "$repo"; fi
    [ -z "$refspec" ] || must fetch ${depth:+--depth "$depth"} -- "$remote" "$refspec"
}

fetch_it() {
    _refspecs=
    set -- fetch
    if [ -n "$depth" ]; then
        if [ -n "$refspec" ]; then set -- "$@" --depth "$depth" -- "$remote" "$refspec" && _refspecs=1
        elif [ "$version" = HEAD ]; then head_branch && set -- "$@" --depth "$depth" -- "$remote" "$branch" && _refspecs=1
        else
            look_up "$repo" ''
            case $kind in
            branch) set -- "$@" --depth "$depth" -- "$remote" "+refs/heads/$version:refs/remotes/$remote/$version" && _refspecs=1 ;;
            tag) set -- "$@" --depth "$depth" -- "$remote" "+refs/tags/$version:refs/tags/$version" && _refspecs=1 ;;
            esac
        fi
    fi
    if [ -z "$_refspecs" ]; then
        if [ -n "$bare" ]; then set -- fetch -- "$remote" '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*'
        else set -- fetch --tags -- "$remote"
        fi
        # Named alone, a refspec would keep the remote's own from being fetched.
        [ -z "$refspec" ] || set -- "$@" "$refspec"
    fi
    if [ -n "$force" ]; then
        shift
        set -- fetch --force "$@"
    fi
    git_here "$@" || failed $? "Failed to download remote objects and refs: $out $(cat -- "$errors")" "$@"
}

# switch MESSAGE ARGUMENT...
switch() {
    _message=$1
    shift
    git_here "$@" || failed $? "$_message" "$@"
}

# Which branches the remote has is known from the fetch.
switch_version() {
    if [ "$version" = HEAD ]; then
        head_branch
        switch "Failed to checkout branch $branch" checkout --force "$branch"
        switch "Failed to checkout branch $branch" reset --hard "$remote/$branch" --
        return
    fi
    if [ -n "$depth" ] && ! git_here show-ref --verify -q "refs/heads/$version"; then
        look_up "$remote" ''
        if [ "$kind" = branch ]; then
            git_here fetch "--depth=$depth" -- "$remote" "+refs/heads/$version:refs/heads/$version" \
                "+refs/heads/$version:refs/remotes/$remote/$version" ||
                failed $? "Failed to fetch branch from remote: $version" fetch
        fi
    fi
    if ! git_here show-ref --verify -q "refs/remotes/$remote/$version"; then
        switch "Failed to checkout $version" checkout --force "$version"
    elif git_here show-ref --verify -q "refs/heads/$version"; then
        switch "Failed to checkout branch $version" checkout --force "$version"
        switch "Failed to checkout $version" reset --hard "$remote/$version"
    else switch "Failed to checkout $version" checkout --track -b "$version" "$remote/$version"
    fi
}

verify_it() {
    if git_here cat-file -t "refs/tags/$version" && [ "$out" = tag ]; then set -- verify-tag "$version"
    else set -- verify-commit "$version"
    fi
    git_here "$@" || failed $? "Failed to verify GPG signature of commit/tag \"$version\"" "$@"
}

update_submodules() {
    [ -e "$dest/.gitmodules" ] || return 0
    must submodule status --recursive
    _status=$out
    case "
$_status" in
    *"
"[-+U]*) submodules=1 ;;
    esac
    if [ -n "$track" ]; then
        must submodule update --init --recursive --remote ${force:+--force}
        must submodule status --recursive
        [ "$_status" = "$out" ] || submodules=1
    elif [ -n "$submodules" ]; then
        must submodule sync
        git_here submodule update --init --recursive ${force:+--force} ||
            failed $? "Failed to init/update submodules: $out$(cat -- "$errors")" submodule update --init --recursive
    fi
    [ -z "$submodules" ] || say submodules_changed 1
}

tab=$(printf '\t')
case $repo in '~'*) expand "$repo" && repo=$expanded ;; esac
case $repo in /*) repo=file://$repo ;; esac
if [ -n "$reference" ]; then expand "$reference" && reference=$expanded; fi
if [ -n "$dest" ]; then
    expand "$dest"
    dest=$expanded
    case $dest in /*) ;; *) dest=$PWD/$dest ;; esac
    while [ "${dest%/}" != "$dest" ] && [ "$dest" != / ]; do dest=${dest%/}; done
elif [ -n "$clone" ]; then refuse 'the destination directory must be specified unless clone=no'
fi
directory=$dest/.git
[ -z "$bare" ] || directory=$dest
if [ -f "$directory" ]; then
    read -r _word _at <"$directory"
    case $_word:$_at in
    gitdir::/*) directory=$_at ;;
    gitdir::*) directory=$dest/$_at ;;
    esac
    [ -d "$directory" ] || refuse 'Current repo does not have a valid reference to a separate Git dir or it refers to the invalid path'
fi

if [ -z "$dest" ] || [ ! -e "$directory/config" ]; then
    if [ -n "$check" ] || [ -z "$clone" ]; then
        look_up "$repo" ''
        changed=1 after=$revision
        finish
    fi
    clone_it
elif [ -z "$update" ]; then
    must rev-parse HEAD
    before=$out after=$out
    finish
else
    if [ -n "$bare" ]; then must rev-parse --git-dir
    else must status --porcelain --untracked-files=no && mods=$out
    fi
    head_of HEAD
    before=$out
    if [ -n "$mods" ]; then
        if [ -z "$force" ]; then
            say with_before "$before"
            refuse "Local modifications exist in the destination: $dest (force=no)."
        fi
        if [ -z "$check" ]; then
            must reset --hard HEAD
            say message "Local modifications exist in the destination: $dest"
        fi
    fi
    git_here ls-remote --get-url "$remote" || out=
    if [ -n "$out" ] && [ "${out%/}" != "${repo%/}" ]; then
        url_changed=1
        [ -n "$check" ] || git_here remote set-url -- "$remote" "$repo" ||
            failed $? "Failed to set a new url $repo for $remote: $out $(cat -- "$errors")" remote set-url "$remote" "$repo"
    fi
    say remote_url_changed "${url_changed:-0}"
    if [ -n "$check" ]; then
        branch=
        if [ "$version" = HEAD ]; then head_branch; fi
        look_up "$remote" "$branch"
        after=$revision
        if [ "$before" != "$after" ] || [ -n "$url_changed" ]; then changed=1; fi
        finish
    fi
    fetch_it
fi
[ -n "$bare" ] || switch_version
[ -z "$verify" ] || verify_it
if [ -n "$recursive" ] && [ -z "$bare" ]; then update_submodules; fi
must rev-parse HEAD
after=$out
if [ "$before" != "$after" ] || [ -n "$mods$submodules$url_changed" ]; then changed=1; fi
finish
