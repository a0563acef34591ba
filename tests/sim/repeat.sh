#!/usr/bin/env bash
# repeat.sh - the same inputs and seed give byte-equal outputs: a run repeated ends in the same
# hash, in the same process and in another, also when the wall clocks of the first jumped and those
# of the second do not; another seed ends in another hash.
set -u

hash_of() {
    "$WEFT_BIN/weftsim" --seed "$1" --minutes 0.5 | sed -n 's/.* hash=\([0-9a-f]*\).*/\1/p'
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
"$WEFT_BIN/weftsim" --seed 1 --runs 20 --minutes 0.5 --faults all --twice >/dev/null || exit 1
echo "three seeds in two processes each, twenty twice with other wall clocks: equal hashes"
