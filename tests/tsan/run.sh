#!/bin/sh
# Runs a program built with TSan. Where the kernel's address randomisation is wider than gcc's TSan
# can map ("unexpected memory mapping"), the program runs without randomisation; where that is
# forbidden too, the test is skipped (exit 77) with the reason.
out=$("$WEFT_BUILD/tests/tsan_probe" 2>&1) && exec "$@"
if setarch "$(uname -m)" -R "$WEFT_BUILD/tests/tsan_probe" >/dev/null 2>&1; then
    exec setarch "$(uname -m)" -R "$@"
fi
echo "SKIPPED: TSan cannot start here, not even without address randomisation: $out"
exit 77
