#!/bin/sh
# SPDX-License-Identifier: MIT
#
# From a fresh checkout to a Makefile: install what is missing (Debian and Ubuntu; it says what,
# and asks on a terminal), make ./configure, and run it with the arguments given here.
set -eu

cd "$(dirname "$0")"

# What a build and its tests need; "a|b" is either, the first one is installed.
packages='gcc|clang libc6-dev make autoconf automake libtool pkg-config|pkgconf
    libncurses-dev libcsv-dev libyaml-dev libjansson-dev libpcre2-dev
    libopenblas-openmp-dev|libopenblas-pthread-dev libprotobuf-c-dev protobuf-c-compiler
    libpng-dev libjpeg-dev libssl-dev libcriterion-dev libopenmpi-dev openmpi-bin libcairo2-dev fonts-dejavu-core'

say()
{
    printf '%s\n' "autogen.sh: $*"
}

# The packages that are not installed, one a line.
missing()
{
    for choice in $packages; do
        found=no
        for name in $(printf '%s\n' "$choice" | tr '|' ' '); do
            dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null |
                grep -qx installed && found=yes
        done
        [ "$found" = yes ] || printf '%s\n' "${choice%%|*}"
    done
}

# Run a command as root, saying nothing of our own environment but that there is nobody to ask.
as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

install_missing()
{
    wanted=$(missing | tr '\n' ' ')
    [ -n "$wanted" ] || return 0
    say "these packages are needed and not installed: $wanted"
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        say "no sudo here; as root: apt-get install $wanted"
        exit 1
    fi
    if [ -t 0 ] && [ -z "${CI:-}" ]; then
        printf '%s' "autogen.sh: install them with apt-get now? [Y/n] "
        read -r answer || answer=n
        case $answer in
        '' | [Yy]*) ;;
        *)
            say "nothing was installed; when you are ready: apt-get install $wanted"
            exit 1
            ;;
        esac
    fi
    as_root apt-get update || say "apt-get update failed; trying with the lists that are here"
    # shellcheck disable=SC2086 # a list of words
    as_root apt-get install -y --no-install-recommends $wanted || {
        say "apt-get could not install them (on Ubuntu, some are in universe:" \
            "add-apt-repository universe)"
        exit 1
    }
}

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
    install_missing
elif ! command -v autoreconf >/dev/null || ! command -v pkg-config >/dev/null; then
    say "install these first, by the names that your system gives them:"
    printf '%s\n' "    a C compiler with OpenMP, make, autoconf, automake, libtool, pkg-config" \
        "    ncursesw, libcsv, libyaml, jansson, pcre2, OpenBLAS (its OpenMP build, if" \
        "    there is a choice), protobuf-c for ONNX and TensorBoard, libpng," \
        "    libjpeg-turbo, OpenSSL's libcrypto, cairo and the font DejaVu Sans for pictures," \
        "    and for the tests Criterion"
    exit 1
fi

autoreconf --force --install
if [ -n "${CI:-}" ]; then # where nobody reads warnings, they are errors
    set -- --enable-werror "$@"
fi
./configure "$@"
