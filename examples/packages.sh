# packages.sh - installs what is missing of a list of Debian packages. Sourced, not run:
#
#   . "$root/examples/packages.sh"
#   install_packages gcc cmake pkg-config || exit $?
#
# Nothing missing: apt is not touched. Otherwise the missing packages are printed, then apt-get
# update and a non-interactive install without recommends follow, as root or through sudo. With
# neither, or without apt, the exact line to run is printed and 2 is returned; apt's own failure
# returns 1. Set PACKAGES_LOG to a file to send apt's output there; it is shown when apt fails.
# Uses nothing beyond what every Debian has: sh, dpkg-query, apt-get.

packages_missing() {
    for package in "$@"; do
        status=$(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | head -n 1)
        [ "$status" = installed ] || printf '%s ' "$package"
    done
}

packages_run() {
    if [ -n "${PACKAGES_LOG:-}" ]; then
        "$@" >>"$PACKAGES_LOG" 2>&1 </dev/null || { tail -n 30 "$PACKAGES_LOG" >&2; return 1; }
    else
        "$@" </dev/null || return 1
    fi
}

install_packages() {
    missing=$(packages_missing "$@")
    missing=${missing% }
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "These packages (Debian's names) are missing, and there is no apt-get: $missing" >&2
        return 2
    fi
    if [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        as_root=sudo
    else
        echo "Packages are missing, and installing them needs root. Run this, then try again:" >&2
        echo "apt-get update && apt-get install -y --no-install-recommends $missing" >&2
        return 2
    fi
    echo "Installing with apt: $missing"
    packages_run $as_root apt-get -q -o DPkg::Lock::Timeout=120 update || return 1
    # shellcheck disable=SC2086 # a list of words on purpose
    packages_run $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends $missing
}
