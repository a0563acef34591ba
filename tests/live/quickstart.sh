#!/usr/bin/env bash
# The quick start does what the README says, with the programs just built, and leaves no process.
set -eu
scratch=$(mktemp -d)
out=$scratch/out
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch # the quick start ends what an earlier one left; not another test's
"$WEFT_SOURCE/examples/quickstart.sh" >"$out" 2>&1 || { cat "$out"; exit 1; }
for text in "hi from the handler on b" "value *prices/tea *4.2" "closed_by_controller" \
    "latency us" "PASS"; do
    grep -q -- "$text" "$out" || { cat "$out"; echo "missing: $text"; exit 1; }
done
"$WEFT_SOURCE/examples/quickstart.sh" --keep >"$out" 2>&1 || { cat "$out"; exit 1; }
server=$(sed -n 's/.*weftctl -s \([^ ]*\) cluster status$/\1/p' "$out" | head -n 1)
"$WEFT_BIN/weftctl" -s "$server" check cluster --nodes 3
"$WEFT_SOURCE/examples/quickstart.sh" --stop
if "$WEFT_BIN/weftctl" -s "$server" -t 3s node ls >"$out" 2>&1; then
    echo "a node still answers after --stop"; exit 1
fi
echo "the quick start works"
