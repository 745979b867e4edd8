#!/bin/sh
# installs what the named parts need, each only when its lock file has changed since:
#   devstack/setup.sh python atmosphere frontend chromium
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"
PATH=$root/devstack/bin:$root/.tools/bin:$PATH
export PATH

say() { printf '%s\n' "$*" >&2; }

stop() {
    say "$@"
    exit 1
}

# run a command silently; its output is shown only if it fails
quietly() {
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then
        rm -f "$log"
    else
        cat "$log" >&2
        rm -f "$log"
        stop "this failed: $*"
    fi
}

fingerprint() { cat "$@" 2>/dev/null | cksum; }

is_current() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }

python_packages() {
    stamp=.venv/.installed
    wanted=$(fingerprint backend/requirements-dev.txt)
    if [ -x .venv/bin/python ] && is_current $stamp "$wanted"; then return 0; fi
    command -v uv >/dev/null || stop 'uv is missing: start this through ./just'
    say 'installing the python packages ...'
    if [ ! -x .venv/bin/python ]; then
        rm -rf .venv
        uv venv --quiet --no-python-downloads --python 3.11 .venv 2>/dev/null ||
            quietly uv venv --quiet --no-python-downloads --python '>=3.11' .venv
    fi
    quietly uv pip sync --quiet --python .venv/bin/python --require-hashes backend/requirements-dev.txt
    printf '%s' "$wanted" >$stamp
}

node_packages() {
    python_packages # node itself is one of them
    stamp=$1/node_modules/.installed
    wanted=$(fingerprint "$1/package.json" "$1/package-lock.json" "$1/.npmrc")
    ! is_current "$stamp" "$wanted" || return 0
    say "installing the node packages of $1/ ..."
    (cd "$1" && quietly npm ci --ignore-scripts --no-audit --no-fund)
    printf '%s' "$wanted" >"$stamp"
}

chromium() {
    if [ -n "${CHROMIUM_PATH:-}" ]; then
        [ -x "$CHROMIUM_PATH" ] || stop "CHROMIUM_PATH is $CHROMIUM_PATH, and no program is there."
        return
    fi
    for name in chromium chromium-browser google-chrome; do
        ! command -v $name >/dev/null || return 0
    done
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        stop 'the browser tests need chromium, and it is not on PATH.' \
            'install it (debian: sudo apt-get install chromium), or set CHROMIUM_PATH to one.'
    fi
    say 'installing chromium for the browser tests ...'
    quietly apt-get update
    DEBIAN_FRONTEND=noninteractive quietly apt-get install -y --no-install-recommends chromium
}

# one set-up at a time; where flock is missing, people are trusted to be patient
if command -v flock >/dev/null; then
    mkdir -p .tools
    exec 9>.tools/setup.lock
    flock 9
fi

for part in "$@"; do
    case $part in
        python) python_packages ;;
        atmosphere | frontend) node_packages "$part" ;;
        chromium) chromium ;;
        *) stop "devstack/setup.sh: there is no part called $part" ;;
    esac
done
