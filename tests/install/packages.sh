#!/usr/bin/env bash
# packages.sh - proves examples/packages.sh on a machine of fakes: what it runs, prints, returns.
set -u

place=$(mktemp -d "${TMPDIR:-/tmp}/weft-packages-XXXXXX")
trap 'rm -rf "$place"' EXIT
mkdir "$place/bin"
failures=0

# fake NAME BODY - a command that writes down how it was called, then does BODY.
fake() {
    printf '#!/bin/sh\nprintf "%%s\\n" "%s $*" >>"%s/calls"\n%s\n' "$1" "$place" "$2" \
        >"$place/bin/$1"
    chmod +x "$place/bin/$1"
}

# case_of CLAIM RETURNS CALLS OUTPUT-HOLDS PACKAGES.. - runs install_packages among the fakes.
case_of() {
    local claim=$1 returns=$2 calls=$3 holds=$4 output code
    shift 4
    : >"$place/calls"
    output=$(PATH=$place/bin:$place/base sh -c '
        . "$0"
        install_packages "$@"' "$WEFT_SOURCE/examples/packages.sh" "$@" 2>&1 </dev/null)
    code=$?
    sed -i '/^dpkg-query\|^id /d' "$place/calls"
    if [ "$code" -ne "$returns" ] || [ "$(cat "$place/calls")" != "$calls" ] ||
        [[ $output != *"$holds"* ]]; then
        failures=$((failures + 1))
        printf 'FAILED: %s\n returned %s, called:\n%s\n printed:\n%s\n' \
            "$claim" "$code" "$(cat "$place/calls")" "$output"
    fi
}

mkdir "$place/base"
for tool in sh head tail env true; do
    ln -s "$(type -P "$tool")" "$place/base/$tool"
done

update='apt-get -q -o DPkg::Lock::Timeout=120 update'
install='apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends lib-a lib-b'

fake dpkg-query 'case "$*" in
    *here) echo installed ;;
    *lib-b) echo config-files ;;
    *) exit 1 ;;
esac'
fake apt-get ''
fake id 'echo 0'
case_of "nothing missing: apt is not touched" 0 "" "" here
case_of "root installs what is missing" 0 "$update"$'\n'"$install" \
    "Installing with apt: lib-a lib-b" here lib-a lib-b

fake id 'echo 1000'
case_of "neither root nor sudo: the exact line, and 2" 2 "" \
    "apt-get install -y --no-install-recommends lib-a" lib-a

fake sudo '[ "$1" = -n ] && shift; exec "$@"'
calls=$(printf '%s\n' "sudo -n true" "sudo $update" "$update" \
    "sudo env DEBIAN_FRONTEND=noninteractive $install" "$install")
case_of "sudo without a password is used" 0 "$calls" "" lib-a lib-b

fake sudo 'exit 1'
case_of "sudo that asks for a password without a terminal is none" 2 "sudo -n true" \
    "needs root" lib-a

fake id 'echo 0'
fake apt-get 'echo "apt is broken"; exit 100'
case_of "apt's failure is told" 1 "$update" "apt is broken" lib-a

rm "$place/bin/apt-get"
case_of "no apt: says so, and 2" 2 "" "no apt-get: lib-a" lib-a

[ "$failures" -eq 0 ] && echo "7 cases hold"
