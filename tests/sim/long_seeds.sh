#!/usr/bin/env bash
# long_seeds.sh - many seeds, larger meshes, longer storms.
set -u

failed=0
simulate() {
    "$WEFT_BIN/weftsim" "$@" 2>&1 | grep -v "^PASS" | grep -A 1 -v "^replay"
    if [ "${PIPESTATUS[0]}" -ne 0 ]; then
        failed=1
        echo "weftsim $* failed"
    fi
}

simulate --runs 20000 --minutes 0.5 --sometimes
simulate --runs 2000 --nodes 3 --minutes 1 --faults all
simulate --runs 1000 --nodes 8 --minutes 2
simulate --runs 500 --nodes 20 --minutes 2
simulate --runs 100 --nodes 50 --minutes 2
simulate --runs 50 --nodes 100 --minutes 5
simulate --runs 100 --nodes 5 --minutes 60
exit "$failed"
