# `./just dev` runs the product, `./just test` tests it. each recipe does its own set-up.

export PATH := justfile_directory() / "devstack/bin" + ":" + justfile_directory() / ".tools/bin" + ":" + env("PATH")
python := justfile_directory() / ".venv/bin/python"

# the services: run, test, check, cli
mod backend

# the web app: dev, test, e2e, check, build
mod frontend

[private]
default:
    @just --justfile '{{ justfile() }}' --list --unsorted --list-submodules

# run the whole product at http://127.0.0.1:5173
[no-exit-message]
dev *options:
    @devstack/setup.sh python atmosphere frontend
    @exec '{{ python }}' -m devstack --tied dev {{ options }}

# fill the running product with a dozen generated pieces by two artists
[no-exit-message]
demo *options:
    @devstack/setup.sh python
    @exec '{{ python }}' -m devstack --tied demo {{ options }}

# everything that must hold: checks, unit tests, builds, browser tests
test: check
    @devstack/setup.sh python atmosphere frontend chromium
    just backend test
    just test-atmosphere
    just frontend test
    just frontend build
    just frontend e2e

# measure something: `./just bench upload --quick --json`
[no-exit-message]
bench name *options:
    @devstack/setup.sh python atmosphere
    @PYTHONPATH=backend/src exec '{{ python }}' -m bench.{{ name }} {{ options }}

# style, types and layers of all code
check:
    just backend check
    just frontend check

# the tests of the local network
[private]
test-atmosphere:
    @devstack/setup.sh atmosphere
    cd atmosphere && npm test --silent

# install what the machine lacks: python and node packages
setup:
    @devstack/setup.sh python atmosphere frontend

# rewrite every lock file from what is asked for
lock:
    @devstack/setup.sh python
    uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url devstack/tools.in -o devstack/tools.txt
    uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url backend/requirements.in -o backend/requirements.txt
    uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url backend/requirements-dev.in -o backend/requirements-dev.txt
    cd atmosphere && npm install --package-lock-only --ignore-scripts
    cd frontend && npm install --package-lock-only --ignore-scripts

# remove the database, the local network and every stored file of `./just dev`
[confirm("this removes .data/ with everything in it. go on? (y/n)")]
reset:
    rm -rf .data
