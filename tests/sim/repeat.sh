#!/usr/bin/env bash
# repeat.sh - the same inputs and seed give byte-equal outputs: a run repeated ends in the same
# hash, and another seed in another.
set -u

hash_of() {
    "$WEFT_BIN/weftsim" --seed "$1" --nodes 5 --minutes 1 | sed -n 's/.* hash=\([0-9a-f]*\).*/\1/p'
}

for seed in 1 2 3; do
    first=$(hash_of "$seed")
    again=$(hash_of "$seed")
    if [ -z "$first" ] || [ "$first" != "$again" ] || [ "$first" = "${previous:-}" ]; then
        echo "seed $seed: hash $first, again $again, the seed before ${previous:-none}"
        exit 1
    fi
    previous=$first
done
echo "three seeds, each run twice: equal hashes"
