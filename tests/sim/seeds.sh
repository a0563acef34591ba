#!/usr/bin/env bash
# seeds.sh - every seed that once failed (seeds.txt), a fixed range of seeds in which every fault
# and every rare branch must come about, and some that nobody has seen. A failing one prints what
# repeats it. The sanitizers' build takes fewer: it is ten times slower.
set -u

here=$(dirname "${BASH_SOURCE[0]}")
failed=0
if [ "${WEFT_PROFILE:-release}" = dev ]; then
    fixed=120 fresh=30 sometimes=''
else
    fixed=2000 fresh=500 sometimes=--sometimes
fi

# simulate OPTIONS.. - runs quietly; what failed is shown with the line that replays it.
simulate() {
    local output code
    output=$("$WEFT_BIN/weftsim" "$@" 2>&1)
    code=$?
    if [ "$code" -ne 0 ]; then
        failed=1
        echo "weftsim $* ended with $code"
        grep -v '^PASS' <<<"$output" | grep -E -B 1 '^replay' | grep -A 1 '^FAIL' | head -n 20
        grep -Ev '^(PASS|FAIL|replay|sometimes: .*[0-9]$)' <<<"$output" | head -n 40
    fi
}

while read -r seed nodes minutes faults _; do
    [[ $seed =~ ^[0-9]+$ ]] || continue
    simulate --seed "$seed" --nodes "$nodes" --minutes "$minutes" --faults "$faults"
done <"$here/seeds.txt"
simulate --seed 1 --runs "$fixed" --minutes 0.5 $sometimes
simulate --runs "$fresh" --minutes 0.5
simulate --seed 1 --runs 1 --nodes 1 --minutes 0.5
simulate --seed 1 --runs 20 --nodes 2 --minutes 0.5
simulate --seed 1 --runs 5 --nodes 20 --minutes 1
exit "$failed"
