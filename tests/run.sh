#!/usr/bin/env bash
# run.sh - the whole proof: installs what is missing, builds every profile, runs every test.
#
#   tests/run.sh          what a change must pass; two lanes for two cores, ten to fifteen minutes
#   tests/run.sh --long   then also the tests labelled long, which take hours
#
# The last line is "N passed, N failed" with ", N skipped" where something was; the exit code is 0
# only when nothing failed. Logs stay in build/run/. Needs Debian 12; packages.sh says how missing
# packages are installed.
set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
cd "$root" || exit 1

with_long=no
case "${1:-}" in
    '') ;;
    --long) with_long=yes ;;
    *) echo "usage: tests/run.sh [--long]" >&2; exit 2 ;;
esac

. examples/packages.sh
install_packages \
    gcc g++ make cmake pkg-config libc6-dev libzmq3-dev libczmq-dev libcjson-dev \
    libsodium-dev libpcre2-dev libsmartcols-dev libcriterion-dev clang clang-format clang-tidy \
    cppcheck libclang-rt-14-dev python3 python3-zmq binutils procps iproute2 util-linux || exit $?

logs=$root/build/run
mkdir -p "$logs" && rm -f "$logs"/*.log "$logs"/*.results || exit 1
started=$SECONDS

say() {
    printf '[%4ds] %-7s %s\n' $((SECONDS - started)) "$lane" "$*"
}

# build PROFILE - configures and builds; a failure counts as one failed test.
build() {
    local log=$logs/build-$1.log before=$SECONDS
    say "building $1"
    if cmake --preset "$1" -DWEFT_TESTS=ON -DWEFT_WERROR=ON >"$log" 2>&1 &&
        cmake --build --preset "$1" -j1 >>"$log" 2>&1; then
        say "built $1 in $((SECONDS - before)) s"
        return 0
    fi
    say "BUILD FAILED: $1"
    grep -E -A5 'error:|warning:|FAILED|CMake Error' "$log" | head -n 60
    echo "failed build-$1 $log" >>"$logs/$lane.results"
    return 1
}

# run_tests PROFILE NAME [ctest options] - runs tests, one by one if no -j says otherwise; each
# verdict is told as it comes.
run_tests() {
    local profile=$1 log=$logs/$1-$2.log name=$1-$2 line verdict test
    shift 2
    say "testing $name"
    : >"$log" # there before tail looks for it
    ctest --test-dir "build/$profile" -V --no-tests=error "$@" >"$log" 2>&1 </dev/null &
    local ctest=$!
    tail -n +1 -s 0.2 -f --pid="$ctest" "$log" | while IFS= read -r line; do
        [[ $line =~ ^\ *[0-9]+/[0-9]+\ Test\ +\#([0-9]+):\ ([^ ]+)\ \.*(.*)$ ]] || continue
        test=${BASH_REMATCH[1]} verdict=failed
        case "${BASH_REMATCH[3]}" in
            *"***Skipped"*) verdict=skipped ;;
            *Passed*) verdict=passed ;;
        esac
        echo "$verdict $profile/${BASH_REMATCH[2]} $log $test" >>"$logs/$lane.results"
        say "$verdict $profile/${BASH_REMATCH[2]}$(sed 's/.*[^0-9.]\([0-9.]* sec\).*/ \1/' \
            <<<"${BASH_REMATCH[3]}")"
    done
    wait "$ctest"
    # 0: all passed, 8: some failed; anything else means that tests were not even run.
    case $? in
        0 | 8) ;;
        *) say "CTEST FAILED: $name"; tail -n 20 "$log"
           echo "failed ctest-$name $log" >>"$logs/$lane.results" ;;
    esac
}

# Tests of real processes mostly wait for them: two run at once, but for those that load a core. One
# lane has its turn at them while the other one computes.
lane_one() {
    lane=lane1
    if build dev; then
        run_tests dev quick -LE '^(long|live)$'
        run_tests dev live -L '^live$' -j2
    fi
    build fuzz && run_tests fuzz all -L '^fuzz$' -j2
    echo done >>"$logs/$lane.results"
}

lane_two() {
    lane=lane2
    if build release; then
        run_tests release live -L '^live$' -j2
        run_tests release quick -LE '^(long|live|text)$'
    fi
    build tsan && run_tests tsan all -LE '^long$' -j2
    echo done >>"$logs/$lane.results"
}

lane_long() {
    lane=long
    run_tests release long -L '^long$'
    run_tests dev long -L '^long$'
    echo done >>"$logs/$lane.results"
}

# Each lane is a process group of its own, so that an interrupt ends what it started.
set -m
lanes=()
end_lanes() {
    for pid in "${lanes[@]}"; do
        kill -TERM -- "-$pid" 2>/dev/null
    done
    exit 130
}
trap end_lanes INT TERM HUP

lane_one </dev/null & lanes+=($!)
lane_two </dev/null & lanes+=($!)
wait
names="lane1 lane2"
if [ "$with_long" = yes ]; then
    lanes=()
    lane_long </dev/null & lanes+=($!)
    wait
    names="$names long"
fi

# What test NUMBER printed, without what ctest says about it.
output_of() {
    sed -n "s/^$1: //p" "$2" | sed '/^Test command: /,/^Test timeout/d'
}

passed=0 failed=0 skipped=0
for lane in $names; do
    if ! grep -qx done "$logs/$lane.results" 2>/dev/null; then
        echo "failed $lane-ended-early $logs" >>"$logs/$lane.results"
    fi
    while read -r verdict name log number; do
        case $verdict in
            passed) passed=$((passed + 1)) ;;
            skipped)
                reason=$(output_of "$number" "$log" | grep -m 1 SKIPPED)
                if [ -n "$reason" ]; then
                    skipped=$((skipped + 1))
                    printf '\nSKIPPED %s: %s\n' "$name" "$reason"
                else
                    failed=$((failed + 1))
                    printf '\nFAILED %s: skipped without a reason\n' "$name"
                    output_of "$number" "$log" | tail -n 40
                fi ;;
            failed)
                failed=$((failed + 1))
                printf '\nFAILED %s (all of it: %s)\n' "$name" "$log"
                if [ -n "${number:-}" ]; then
                    output_of "$number" "$log" | grep -E 'FAILED|[cC]heck failed|Sanitizer:' |
                        tail -n 5
                    output_of "$number" "$log" | tail -n 40
                fi ;;
        esac
    done <"$logs/$lane.results"
done

printf '\n%d s\n' $((SECONDS - started))
printf '%d passed, %d failed' "$passed" "$failed"
[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
printf '\n'
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
