#!/usr/bin/env bash
# _planted.sh - every bug that is planted on purpose must be found, by the checker of the invariant
# that it breaks: a checker that has never found anything may be blind. Seeds are tried in order
# until one finds the bug, a few at a time and then more: most are found by the first ones. Without
# a bug the same build must pass.
set -u

simulator=$WEFT_BIN/weftsim_bugs
most=1200 least=4 largest=64 failed=0

# found BUG [OPTION] - whether one of the seeds fails; sets `by` to its check and seed.
found() {
    local seed batch=$least
    for ((seed = 1; seed <= most; seed += batch, batch *= batch < largest ? 2 : 1)); do
        by=$("$simulator" --bug "$1" --seed "$seed" --runs "$batch" --minutes 0.5 ${2:-} 2>&1 |
            sed -n 's/^FAIL seed=\([0-9]*\) .* check=\([a-z]*\).*/\2 seed \1/p' | head -n 1)
        [ -n "$by" ] && return 0
    done
    return 1
}

while read -r bug invariant what; do
    twice=''
    [ "$invariant" = I31 ] && twice=--twice
    if found "$bug" $twice; then
        echo "bug $bug, $invariant, $what: found by $by"
    else
        echo "bug $bug, $invariant, $what: NOT FOUND in $most seeds"
        failed=1
    fi
done < <("$simulator" --bug 0)
if ! "$simulator" --seed 1 --runs 20 --minutes 0.5 >/dev/null 2>&1; then
    echo "the build with bugs fails without one"
    failed=1
fi
exit "$failed"
