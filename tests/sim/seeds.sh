#!/usr/bin/env bash
# seeds.sh - every seed that once failed (seeds.txt: seed nodes minutes, then what it found), a
# fixed range of seeds, and some that nobody has seen. A failing one prints what repeats it.
set -u

here=$(dirname "${BASH_SOURCE[0]}")
failed=0
if [ "${WEFT_PROFILE:-release}" = dev ]; then
    fixed=10 fresh=5
else
    fixed=100 fresh=25
fi

# simulate OPTIONS.. - runs quietly; what failed is shown with the line that replays it.
simulate() {
    local output code
    output=$("$WEFT_BIN/weftsim" "$@" 2>&1)
    code=$?
    if [ "$code" -ne 0 ]; then
        failed=1
        echo "weftsim $* ended with $code"
        grep -v '^PASS' <<<"$output" | grep -A 1 -v '^replay' | tail -n 40
    fi
}

if [ -f "$here/seeds.txt" ]; then
    while read -r seed nodes minutes _; do
        [[ $seed =~ ^[0-9]+$ ]] || continue
        simulate --seed "$seed" --nodes "$nodes" --minutes "$minutes"
    done <"$here/seeds.txt"
fi
simulate --seed 1 --runs "$fixed" --nodes 5 --minutes 1
simulate --runs "$fresh" --nodes 5 --minutes 1
simulate --runs 1 --nodes 1 --minutes 1
simulate --seed 1 --runs 1 --nodes 20 --minutes 1
exit "$failed"
