#!/bin/sh
# What upstream.yml does with archives on the controller:
#   upstream.sh fetch HELM REPOSITORY NAME VERSION CACHE   pulls the chart into the cache, whole or not at all
#   upstream.sh place CACHE ARCHIVE FOLDER                 makes it the one archive in a chart's `charts` folder, where Helm looks
set -eu

# Helm names an archive as the repository's index does; the cache has one name for it. An http proxy is taken from the environment.
fetch() {
    helm=$1 repository=$2 name=$3 version=$4 cache=$5
    mkdir -p "$cache"
    new=$(mktemp -d "$cache/.new.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    trap 'exit 130' HUP INT TERM
    case $repository in
        oci://*) "$helm" pull "${repository%/}/$name" --version "$version" --destination "$new" ;;
        *) "$helm" pull "$name" --repo "$repository" --version "$version" --destination "$new" ;;
    esac
    mv -f "$new"/*.tgz "$cache/$name-$version.tgz"
}

# An archive of another version would be installed beside the wanted one.
place() {
    cache=$1 archive=$2 folder=$3
    for file in "$folder"/*.tgz; do
        [ "$file" = "$folder/$archive" ] || rm -f "$file"
    done
    if ! cmp -s "$cache/$archive" "$folder/$archive"; then
        cp "$cache/$archive" "$folder/.$archive.new"
        mv -f "$folder/.$archive.new" "$folder/$archive"
    fi
}

action=$1
shift
case $action in
    fetch) fetch "$@" ;;
    place) place "$@" ;;
    *) echo "unknown action: $action" >&2; exit 2 ;;
esac
