#!/usr/bin/env bash
# Makes .venvs/bootstrap on a fresh machine: an environment with uv, and the file `python`, which holds the path of the
# Python that every other environment is made with. Any Python 3.8 or newer that has venv and pip is enough to start.
#
# usage: local/bootstrap.sh VERSION LOCK
set -euo pipefail
version=$1 lock=$2 folder=.venvs/bootstrap
pyenv=${PYENV_ROOT:-${HOME:-}/.pyenv}

stop() { printf 'missing: %s\n' "$1" >&2; printf '%s\n' "$2" >&2; exit 1; }

# A candidate is asked by running it: a pyenv shim on PATH often does not run.
says() { "$1" -c "import sys; sys.exit(not ($2))" >/dev/null 2>&1 </dev/null; }
is_wanted() { says "$1" "'%d.%d' % sys.version_info[:2] == '$version'"; }
# An older pip knows no wheel of uv, and Debian keeps ensurepip in a package of its own.
can_start() { says "$1" "sys.version_info >= (3, 8) and __import__('ensurepip') and __import__('venv')"; }

executable() { "$1" -c 'import sys; print(sys.executable)'; }

python='' start=''
found_by_uv=$(uv python find "$version" 2>/dev/null || true)
for candidate in "python$version" python3 python "$pyenv/versions/$version"*/bin/python3 ${found_by_uv:+"$found_by_uv"} \
    "$pyenv"/versions/3.*/bin/python3; do
    if [ -z "$python" ] && is_wanted "$candidate"; then python=$(executable "$candidate"); fi
    if [ -z "$start" ] && can_start "$candidate"; then start=$candidate; fi
done
if [ -n "$python" ] && can_start "$python"; then start=$python; fi
[ -n "$start" ] || stop "a Python 3.8 or newer with venv and pip" \
    "Install one (Debian and Ubuntu: apt install python3-venv), and run make again."

rm -rf "$folder"
"$start" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"

# Downloading a Python is the last resort: it comes from another place than packages, and stays in this folder.
if [ -z "$python" ]; then
    python=$("$folder/bin/uv" python find "$version" 2>/dev/null) || {
        export UV_PYTHON_INSTALL_DIR=$PWD/.venvs/python UV_PYTHON_DOWNLOADS=automatic
        "$folder/bin/uv" python install --no-bin "$version" &&
            python=$("$folder/bin/uv" python find --managed-python "$version")
    } || stop "Python $version, and it cannot be downloaded" \
        "Install it where PATH, pyenv or uv finds it (pyenv install $version), and run make again."
fi
printf '%s\n' "$python" >"$folder/python"
