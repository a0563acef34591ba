#!/usr/bin/env bash
# run.sh - installs into a folder of its own, then builds the examples outside the tree from what
# pkg-config says, shared and static, in C and C++. WEFT_BUILD is the build to install from.
set -eu

place=$(mktemp -d "${TMPDIR:-/tmp}/weft-install-XXXXXX")
trap 'rm -rf "$place"' EXIT
cmake --install "$WEFT_BUILD" --prefix "$place/usr" >"$place/install.log"
cd "$place"

fail() {
    echo "FAILED: $*"
    exit 1
}

library=$(find usr -name libweft.so)
folder=$(dirname "$library")
headers="weft.h weft_auth.h weft_control.h weft_events.h weft_requests.h weft_topics.h"
for file in $(printf 'usr/include/%s ' $headers) "$folder/libweft.a" "$folder/pkgconfig/weft.pc"; do
    [ -f "$file" ] || fail "$file is not installed"
done
for program in weftd weftctl weftbench weftsim; do
    [ ! -x "$WEFT_BIN/$program" ] || [ -x "usr/bin/$program" ] || fail "$program is not installed"
done

readelf -d "$library" | grep -q 'SONAME.*libweft\.so\.[0-9]' || fail "libweft.so has no soname"
strangers=$(nm -D --defined-only "$library" | awk '$3 !~ /^weft_/ {print $3}')
[ -z "$strangers" ] || fail "libweft.so exports what is not weft_...:" $strangers
nm -D --defined-only "$library" | grep -q ' T weft_' || fail "libweft.so exports nothing"

export PKG_CONFIG_PATH=$place/$folder/pkgconfig
export LD_LIBRARY_PATH=$place/$folder
read -ra flags <<<"$(pkg-config --cflags --libs weft)"
# Of the static library's needs, libzmq itself stays shared.
read -ra static_flags <<<"$(pkg-config --cflags weft) $folder/libweft.a $(pkg-config --libs libzmq)"

built=0
for example in "$WEFT_SOURCE"/examples/*.c; do
    name=$(basename "$example" .c)
    cp "$example" .
    cc -Wall -Wextra -Werror -o "$name" "$name.c" "${flags[@]}"
    ldd "$name" | grep -q "$place/$folder/libweft" || fail "$name does not use the shared library"
    cc -o "$name-static" "$name.c" "${static_flags[@]}" -lpthread -lm
    built=$((built + 1))
done
[ "$built" -gt 0 ] || fail "there is no example"

# C++ may include the headers, and finds the functions under their C names.
function=$(nm -D --defined-only "$library" | awk '$2 == "T" {print $3; exit}')
printf '#include <%s>\n' $headers >cplusplus.cpp
cat >>cplusplus.cpp <<END
static void (*volatile found)() = reinterpret_cast<void (*)()>(&$function);
int main() { return found == nullptr; }
END
c++ -std=c++11 -Wall -Wextra -Werror -o cplusplus cplusplus.cpp "${flags[@]}"
./cplusplus
echo "$built examples built outside the tree"
