#!/usr/bin/env bash
# quickstart.sh - a running mesh in two minutes: installs what is missing, builds weft, starts three
# nodes on free ports of this machine, and shows a request, a topic, a command and a load crossing
# the mesh.
#
#   examples/quickstart.sh           everything, then cleans up
#   examples/quickstart.sh --keep    leaves the three nodes running
#   examples/quickstart.sh --stop    ends nodes left running by --keep
#
# Exit: 0 all steps worked; 1 a step failed (its log is shown); 2 a package is missing and can't be
# installed, or a wrong option.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
bin=${WEFT_BIN:-$root/build/release/bin}
state=${TMPDIR:-/tmp}/weft-quickstart-$(id -u)
keep=no

usage() { sed -n '2,/^set -u/s/^# \{0,1\}//p' "$0" | sed '$d'; }

is_node() { # true when the process of that id is a weftd
    case $(tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline") in
        weftd\ * | */weftd\ *) return 0 ;;
    esac
    return 1
}

stop_nodes() { # ends the nodes that a run with --keep left, by their ids, and waits until they have
    [ -r "$state/pids" ] || return 0
    while read -r pid; do
        is_node "$pid" && kill -TERM "$pid" 2>/dev/null
    done <"$state/pids"
    while read -r pid; do
        for _ in $(seq 200); do
            is_node "$pid" || break
            sleep 0.05
        done
    done <"$state/pids"
    rm -rf "$state"
}

case ${1:-} in
    "") ;;
    --keep) keep=yes ;;
    --stop)
        if [ -r "$state/pids" ]; then
            stop_nodes && echo "stopped"
        else
            echo "nothing is running"
        fi
        exit 0
        ;;
    -h | --help) usage; exit 0 ;;
    *) echo "quickstart.sh: unknown option $1; try --help" >&2; exit 2 ;;
esac
[ $# -le 1 ] || { echo "quickstart.sh: one option at most; try --help" >&2; exit 2; }

say() { printf '\n%s\n' "$*"; }

started=() # ids of the processes this run started

cleanup() {
    if [ "$keep" = no ] || [ "${failed:-no}" = yes ]; then
        for pid in "${started[@]}"; do kill -TERM "$pid" 2>/dev/null; done
        for pid in "${started[@]}"; do wait "$pid" 2>/dev/null; done
        rm -rf "$state"
    else
        for pid in "${helpers[@]:-}"; do
            [ -n "$pid" ] && kill -TERM "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
        done
    fi
}
trap cleanup EXIT
trap 'exit 1' INT TERM

fail() { # message, then the file that tells more
    failed=yes
    printf '\nquickstart.sh: %s\n' "$1" >&2
    [ -r "${2:-}" ] && { echo "--- the end of its log:" >&2; tail -n 40 "$2" >&2; }
    exit 1
}

run() { # prints a command as a user would type it, then runs it
    local word shown=
    for word in "$@"; do
        case $word in
            *[!A-Za-z0-9_.,:/=-]*) shown="$shown '$word'" ;;
            *) shown="$shown $word" ;;
        esac
    done
    printf '$%s\n' "$shown"
    "$@" || fail "that command failed with exit code $?" "$state/log"
}

wait_for() { # file, text: until the text stands in the file, 15 s at most
    local tries=0
    until grep -q -- "$2" "$1" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || fail "waited 15 s for '$2'" "$1"
        sleep 0.05
    done
}

stop_nodes
mkdir -p "$state" || exit 1
helpers=()

# ---- install and build -------------------------------------------------------------------------

if [ -z "${WEFT_BIN:-}" ]; then
    say "Installing what is missing and building (log: $state/log; the first time takes a minute)."
    # shellcheck source=examples/packages.sh
    . "$root/examples/packages.sh"
    PACKAGES_LOG=$state/log install_packages gcc cmake make pkg-config libc6-dev libzmq3-dev \
        libczmq-dev libcjson-dev libsodium-dev libpcre2-dev libsmartcols-dev
    code=$?
    [ "$code" -eq 0 ] || { failed=yes; exit "$code"; }
    {
        cd "$root" && cmake --preset release -DWEFT_TESTS=OFF &&
            cmake --build --preset release -j "$(nproc)"
    } >>"$state/log" 2>&1 || fail "the build failed" "$state/log"
fi
PATH=$bin:$PATH
hash -r

# ---- three nodes -------------------------------------------------------------------------------

address_of() { # name, what (clients|gossip): where a node listens, from its log
    sed -n "s/.* listening .*$2=\([^ ]*\).*/\1/p" "$state/$1.log" | head -n 1
}

start_node() { # name, more arguments
    local name=$1
    shift
    printf '$ weftd --name %s --port 0%s &\n' "$name" "${*:+ $*}"
    weftd --name "$name" --port 0 "$@" 2>"$state/$name.log" &
    started+=($!)
    echo $! >>"$state/pids"
    wait_for "$state/$name.log" " listening "
}

say "Start three nodes. The first is alone; the others are told one address and find the rest."
start_node a
seed=$(address_of a gossip)
start_node b --seed "$seed"
start_node c --seed "$seed"
for name in a b c; do wait_for "$state/$name.log" " ready"; done
a=$(address_of a clients) b=$(address_of b clients) c=$(address_of c clients)

say "Wait until all three agree, then ask any of them who is in the mesh."
run weftctl -s "$a" check cluster --nodes 3
run weftctl -s "$c" node ls

# ---- a request, node to node -------------------------------------------------------------------

say "A handler on node b serves the path 'hello' for the whole mesh."
printf '$ weftctl -s %s reply hello "hi from the handler on b" &\n' "$b"
weftctl -s "$b" reply hello "hi from the handler on b" >"$state/reply.out" 2>"$state/reply.err" &
started+=($!) helpers+=($!)
wait_for "$state/reply.err" "weftctl: ready"

say "A client of node a asks; the request crosses to b and the answer comes back."
run weftctl -s "$a" req --wait 5s hello "who is there?"

# ---- a topic, the same on every node -----------------------------------------------------------

say "Somebody on node c watches topics; one is set on node a, and every node has it."
printf '$ weftctl -s %s topic sub "prices/**" &\n' "$c"
weftctl -s "$c" topic sub 'prices/**' >"$state/sub.out" 2>"$state/sub.err" &
started+=($!) helpers+=($!)
wait_for "$state/sub.err" "weftctl: ready"
run weftctl -s "$a" topic set prices/tea 4.20 --type double
wait_for "$state/sub.out" "prices/tea"
echo "The watcher on c was shown:"
cat "$state/sub.out"

# ---- a session on c, closed from a -------------------------------------------------------------

say "A session on node c ..."
printf '$ weftctl -s %s session open &\n' "$c"
weftctl -s "$c" session open -o jsonl >"$state/open.out" 2>"$state/open.err" &
opener=$!
started+=("$opener") helpers+=("$opener")
wait_for "$state/open.err" "weftctl: ready"
id=$(sed -n 's/^weftctl: ready //p' "$state/open.err" | head -n 1)

say "... is seen and closed from node a."
run weftctl -s "$a" session ls
run weftctl -s "$a" session close "$id" --reason "the quick start is over"
wait "$opener" 2>/dev/null
wait_for "$state/open.out" "closed_by_controller"
echo "The client on c was told: $(grep closed_by "$state/open.out")"

# ---- a short load ------------------------------------------------------------------------------

say "A short load: callers on one node, handlers on another, every answer checked."
run weftbench req -s "$a,$b,$c" -c 10 -d 3s --route remote --check

say "That was weft. Three commands to try:"
if [ "$keep" = yes ]; then
    echo "  PATH=$bin:\$PATH"
    echo "  weftctl -s $b cluster status"
    echo "  weftctl -s $b session open -o jsonl &    then: weftctl -s $c session ls"
    echo "  weftbench req -s $a,$b,$c -c 50 -d 10s --route mixed --check"
    echo "The nodes go on; end them with examples/quickstart.sh --stop"
else
    echo "  examples/quickstart.sh --keep    # and look around in the mesh it leaves running"
    echo "  build/release/bin/weftctl --help"
    echo "  build/release/bin/weftbench --help"
fi
