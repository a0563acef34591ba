#!/usr/bin/env bash
# long_requests.sh - ten million requests under faults, each with one true outcome (I1 to I5), in
# rows of a hundred: 30,000 outcomes a second of one core, six minutes in all. A seed that fails is
# told with what repeats it, and the others go on; all of them are named at the end.
set -u

wanted=${1:-10000000} runs=20 asks=100 seed=1 told=0 failing=0 failing_most=50 names=''
report=$(mktemp)
trap 'rm -f "$report"' EXIT
while [ "$told" -lt "$wanted" ] && [ "$failing" -lt "$failing_most" ]; do
    "$WEFT_BIN/weftsim" --seed "$seed" --runs "$runs" --asks "$asks" --sometimes >"$report" 2>&1
    passed=$(grep -c '^PASS' "$report")
    failed=$(grep -c '^FAIL' "$report")
    if [ "$((passed + failed))" -eq 0 ]; then
        tail -5 "$report"
        exit 1
    fi
    grep -B 1 -A 1 '^FAIL' "$report"
    names+=$(sed -n 's/^FAIL seed=\([0-9]*\) .*check=\([a-z]*\).*/ \1 (\2)/p' "$report" |
        tr -d '\n')
    failing=$((failing + failed))
    # A node that ends in an assertion ends the process: the seeds behind it are still to be run.
    seed=$((seed + passed + failed))
    told=$((told + $(awk '$2 == "outcome" && !/decided/ { sum += $(NF - /NEVER/) }
        END { print sum + 0 }' "$report")))
    echo "$told outcomes, seeds below $seed"
done
if [ "$failing" -gt 0 ]; then
    echo "$failing failing seeds:$names"
    exit 1
fi
