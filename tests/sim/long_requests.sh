#!/usr/bin/env bash
# long_requests.sh - ten million requests under faults, each with one true outcome (I1 to I5), in
# rows of a hundred: 30,000 outcomes a second of one core, six minutes in all.
set -u

wanted=${1:-10000000} runs=20 asks=100 seed=1 told=0
report=$(mktemp)
trap 'rm -f "$report"' EXIT
while [ "$told" -lt "$wanted" ]; do
    "$WEFT_BIN/weftsim" --seed "$seed" --runs "$runs" --asks "$asks" --sometimes >"$report" 2>&1
    if [ "$(grep -c "^PASS" "$report")" -ne "$runs" ]; then
        grep -B 1 -A 1 "^FAIL" "$report" || tail -5 "$report"
        exit 1
    fi
    told=$((told + $(awk '$2 == "outcome" && !/decided/ { sum += $(NF - /NEVER/) }
        END { print sum + 0 }' "$report")))
    seed=$((seed + runs))
    echo "$told outcomes, seeds below $seed"
done
