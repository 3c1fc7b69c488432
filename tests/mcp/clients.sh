# What the scripts beside it share: the clients, in these versions, under target/mcp-clients, and the program as `cargo test` builds it.
# shellcheck shell=bash
set -euo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${CARGO_TARGET_DIR:-$tests/../../target}
clients=$(mkdir -p "$target/mcp-clients" && cd "$target/mcp-clients" && pwd)
program=${SWITCHBOARD:-$target/debug/switchboard}

NODE=24.21.0 # where the machine has none, or one that is older than 22.19
PACKAGES=(@modelcontextprotocol/inspector@2.12.0 @modelcontextprotocol/client@2.4.0 @modelcontextprotocol/conformance@0.2.0-alpha.12)
PYTHON_PACKAGES=(mcp==2.3.0)

fail() {
  echo "$*" >&2
  exit 1
}

node_is_new_enough() {
  local version major minor
  version=$(node --version 2>/dev/null) || return 1
  IFS=. read -r major minor _ <<<"${version#v}"
  ((major > 22 || (major == 22 && minor >= 19)))
}

node_is_here() {
  export PATH="$clients/js/node_modules/.bin:$clients/node-$NODE/package/bin:$PATH"
  node_is_new_enough && return
  local machine
  case $(uname -m) in aarch64 | arm64) machine=arm64 ;; *) machine=x64 ;; esac
  (
    cd "$clients"
    archive=$(npm pack --silent "node-linux-$machine@$NODE")
    rm -rf "node-$NODE" && mkdir "node-$NODE"
    tar -xzf "$archive" -C "node-$NODE" && rm "$archive"
  )
  node_is_new_enough || fail "Node $NODE could not be installed under $clients"
}

# Installs once; again where a version above has changed.
install_clients() {
  [ -x "$program" ] || fail "$program is not there: cargo test builds it, or name it in SWITCHBOARD"
  command -v npm >/dev/null || fail 'npm is missing: apt-get install npm'
  python3 -c 'import ensurepip' 2>/dev/null || fail 'python3 with venv is missing: apt-get install python3-venv'
  node_is_here
  local wanted="${PACKAGES[*]} ${PYTHON_PACKAGES[*]}"
  [ "$(cat "$clients/installed" 2>/dev/null)" = "$wanted" ] && return
  rm -rf "$clients/js" "$clients/venv" "$clients/installed"
  mkdir "$clients/js"
  echo '{ "private": true, "type": "module" }' >"$clients/js/package.json"
  npm install --prefix "$clients/js" --silent --ignore-scripts --no-audit --no-fund --save-exact "${PACKAGES[@]}"
  python3 -m venv "$clients/venv"
  "$clients/venv/bin/pip" install --quiet --disable-pip-version-check "${PYTHON_PACKAGES[@]}"
  echo "$wanted" >"$clients/installed"
}

# The program with nothing set that the machine's own environment may set.
switchboard() { env -i PATH="$PATH" HOME="$scratch" "$@"; }

scratch=$(mktemp -d)
serving=
clean_up() {
  stop
  rm -rf "$scratch"
}
trap clean_up EXIT

# Starts to serve the data folder, with these further options; its address is then in $address.
serve() { # data, options...
  local data=$1 line
  shift
  exec {lines}< <(exec env -i PATH="$PATH" HOME="$scratch" SWITCHBOARD_OPERATOR_KEY="${OPERATOR_KEY:-}" \
    "$program" serve --listen 127.0.0.1:0 --data "$data" "$@" 2>"$data.log")
  serving=$!
  address=
  while [ -z "$address" ] && read -r line <&"$lines"; do
    address=$(sed -n 's/^listening=//p' <<<"$line")
  done
  [ -n "$address" ] || fail "the program did not start: $(cat "$data.log")"
}

# Ends what was started, which must have had nothing to complain about.
stop() {
  [ -n "$serving" ] || return 0
  kill "$serving" 2>/dev/null || true
  wait "$serving" 2>/dev/null || true
  exec {lines}<&-
  serving=
  if grep -hE 'panicked| ERROR ' "$scratch"/*.log; then
    rm -f "$scratch"/*.log
    fail 'the program logged these errors'
  fi
}

# A data folder as a new one, but that its plugins are compiled already.
fresh_data() { # -> $data
  if [ ! -d "$scratch/template" ]; then
    serve "$scratch/template"
    stop
  fi
  # Another one each time: a program that a client has started may still be ending in the last.
  data=$(mktemp -d "$scratch/data.XXXXXX")
  cp -r "$scratch/template/." "$data"
}
