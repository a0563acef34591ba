#!/bin/sh
# run.sh PROGRAM CORPUS FOUND SECONDS - fuzzes for a while from the corpus; new inputs go to FOUND,
# and so does what crashes. A crash ends with 1: libFuzzer's own 77 means "skipped" to ctest.
program=$1 corpus=$2 found=$3 seconds=$4
mkdir -p "$found" || exit 1
dictionary=${0%/*}/dictionary/${corpus##*/}.txt
[ -f "$dictionary" ] || dictionary=
[ -d "$corpus" ] || corpus=
exec "$program" ${dictionary:+-dict="$dictionary"} \
    -max_total_time="$seconds" -max_len=65536 -timeout=5 -rss_limit_mb=1024 \
    -print_final_stats=1 -error_exitcode=1 -timeout_exitcode=1 -artifact_prefix="$found/" \
    "$found" ${corpus:+"$corpus"}
