#!/usr/bin/env bash
# long_targets.sh - what membership promises of its speed and of its mercy, measured in virtual
# time: prints the tables, and fails where a target is missed.
set -u

failed=0

# at_most WHAT FIELD LIMIT TEXT - the number behind FIELD in the lines of TEXT that hold WHAT.
at_most() {
    local values value
    values=$(grep -F "$1" <<<"$4" | sed -n "s/.*$2 *\([0-9.]*\).*/\1/p")
    [ -n "$values" ] || { echo "no figure for: $1"; failed=1; }
    for value in $values; do
        awk -v value="$value" -v limit="$3" 'BEGIN { exit !(value <= limit) }' ||
            { echo "MISSED: $1: $2 $value, the target is $3"; failed=1; }
    done
}

# measure WHAT OPTIONS.. - prints the table and leaves it in `table`.
measure() {
    table=$("$WEFT_BIN/weftsim" --measure "$@" --seed 1) || failed=1
    echo "$table"
}

measure crash
at_most "known to all after" p50 150 "$table"
at_most "known to all after" p99 1000 "$table"
measure vanish
at_most "known to all after" p99 5000 "$table"
measure vanish --nodes 10000 --alone --runs 10
at_most "known to all after" p99 8000 "$table"
measure split --runs 20
at_most " s " max 15 "$table"
measure split --nodes 300 --runs 2
at_most " s " max 15 "$table"
measure split --nodes 1000 --alone --runs 2
at_most " s " max 25 "$table"
measure join --nodes 2000 --alone
at_most "one view after" max 15 "$table"
measure restart --nodes 500 --alone --runs 3
at_most "one view after" max 15 "$table"
measure idle
at_most "nodes:" gossip 600 "$table"
for nodes in 1000 3000; do
    measure idle --nodes "$nodes" --alone # links are dialled when they are needed: reported
done
measure stall --alone --runs 1000
at_most "nodes that stall" "node-seconds, by" 0 "$table"
measure loss --alone --runs 20
at_most "25 % of segments stalled" "views:" 1 "$table"
exit "$failed"
