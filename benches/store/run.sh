#!/usr/bin/env bash
# The store: its REST face beside FastTrackML and MLflow's own server, what it takes from a recorder,
# and how it answers when it holds ten million branches.
#
#   benches/store/run.sh                    all of it, some six minutes after building
#   benches/store/run.sh --quick            the same with shorter measurements, less than two
#   benches/store/run.sh [--quick] PART…    rest, recorder or many
#
# Works from a clean clone on Debian. What it installs and starts it says; what it starts it ends.
# Everything it writes is under target/store-bench. Exits with 1 when the run is void: a call failed, or
# a branch was dropped.
#
#   SPEARMINT=path       a binary to use instead of building one     BASE=9600      the first of 10 ports
#   SECONDS_EACH=4       how long each load takes                    ROUNDS=3       how often
#   RATE=200000          branches a second through the recorder      SUSTAINED=60   for so many seconds
#   BRANCHES=10000000    that are searched
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/target/store-bench
quick= parts=()
for word in "$@"; do
    case $word in
        --quick) quick=1 ;;
        rest | recorder | many) parts+=("$word") ;;
        *) sed -n '2,16s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
done
[ ${#parts[@]} -gt 0 ] || parts=(rest recorder many)
each=${SECONDS_EACH:-${quick:+2}} each=${each:-4}
rounds=${ROUNDS:-${quick:+1}} rounds=${rounds:-3}
sustained=${SUSTAINED:-${quick:+10}} sustained=${sustained:-60}
rate=${RATE:-200000} branches=${BRANCHES:-10000000} base=${BASE:-9600}
asks() { [[ " ${parts[*]} " == *" $1 "* ]]; }
say() { printf '%s\n' "$*" >&2; }

started=()
stop() { # a group of processes, by its first
    kill -TERM -- "-$1" 2> /dev/null || return 0
    for _ in $(seq 100); do
        kill -0 -- "-$1" 2> /dev/null || return 0
        sleep 0.1
    done
    kill -KILL -- "-$1" 2> /dev/null || true
}
cleanup() {
    local id
    for id in "${started[@]}"; do stop "$id"; done
    # The stores are large.
    [ -z "${run-}" ] || rm -rf "$run"/*.db* "$run"/mlflow "$run"/fasttrackml
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# --- what it needs -----------------------------------------------------------------------------

need=()
command -v curl > /dev/null || need+=(curl)
command -v cc > /dev/null || need+=(gcc libc6-dev)
python3 -c 'import venv, ensurepip' 2> /dev/null || need+=(python3 python3-venv)
if [ ${#need[@]} -gt 0 ]; then
    say "installing from the distribution: ${need[*]}"
    [ "$(id -u)" = 0 ] || { say "not root: run apt-get install ${need[*]} first"; exit 1; }
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${need[@]}" > /dev/null
fi
mkdir -p "$work"
python_package() { # package==version, its program: where that is, in $program
    local venv=$work/${1%%==*}
    program=$venv/bin/$2
    [ -x "$program" ] && return
    say "installing into ${venv#"$root/"}: $1 (Python package)"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$1"
}
if asks rest; then
    python_package fasttrackml==0.6.0 fml
    fml=$program
    mlflow=$root/target/mlflow-venv/bin/mlflow   # the tests'
    [ -x "$mlflow" ] || { python_package 'mlflow==3.17.*' mlflow; mlflow=$program; }
fi
build() { # what, features
    cargo "$1" "${@:3}" --features "$2" --quiet --locked --manifest-path "$root/Cargo.toml" --target-dir "$root/target" \
        2> "$work/build.log" || { cat "$work/build.log" >&2; return 1; }
}
bench() { # name: its path
    build bench server --bench "$1" --no-run --message-format json |
        python3 -c 'import json, sys
for line in sys.stdin:
    made = json.loads(line)
    if made.get("executable") and made["target"]["name"] == sys.argv[1]:
        print(made["executable"])' "$1"
}
say "building (release)"
command -v cargo > /dev/null || { say "cargo is missing: see https://rustup.rs"; exit 1; }
spearmint=${SPEARMINT:-$root/target/release/spearmint}
[ -n "${SPEARMINT-}" ] || build build full --release --bin spearmint
asks rest || asks many && rest=$(bench store_rest)
asks recorder || asks many && store=$(bench store)
say "$("$spearmint" --version); $(nproc) cores, $(uname -sr); load before the run: $(cut -d' ' -f1-3 /proc/loadavg)"
run=$(mktemp -d "$work/run.XXXXXX")
results=$run/results.tsv

start() { # name, port, path that answers, command…
    local name=$1 port=$2 path=$3
    shift 3
    setsid "$@" > "$run/$name.out" 2>&1 &
    started+=($!)
    disown
    for _ in $(seq 600); do
        curl -s -o /dev/null --max-time 5 "http://127.0.0.1:$port$path" && return
        sleep 0.1
    done
    say "$name does not answer at port $port: $(tail -n 3 "$run/$name.out")"
    return 1
}
ui() { # name, port, store
    start "$1" "$2" /health "$spearmint" ui --store "$3" --listen "127.0.0.1:$2"
}
row() { # who, a line of a program
    printf '%s\t%s\n' "$1" "$2" >> "$results"
}
end_all() {
    local id
    for id in "${started[@]}"; do stop "$id"; done
    started=()
}

# --- one run for each branch, over REST -----------------------------------------------------------

if asks rest; then
    ui spearmint $((base + 1)) "$run/rest.db"
    mkdir -p "$run/fasttrackml" "$run/mlflow"
    start fasttrackml $((base + 2)) /health "$fml" server --log-level error \
        --listen-address "127.0.0.1:$((base + 2))" \
        --database-uri "sqlite://$run/fasttrackml/store.db" --default-artifact-root "$run/fasttrackml"
    start mlflow $((base + 3)) /health env MLFLOW_DISABLE_TELEMETRY=true \
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false "$mlflow" server --host 127.0.0.1 --port $((base + 3)) \
        --backend-store-uri "sqlite:///$run/mlflow/store.db" --artifacts-destination "$run/mlflow"
    for round in $(seq "$rounds"); do
        for clients in 1 8; do
            for connections in "" --connection-each; do
                port=$base
                for who in spearmint fasttrackml mlflow; do
                    port=$((port + 1))
                    # (Unquoted: none is no argument.)
                    line=$("$rest" runs "127.0.0.1:$port" --clients "$clients" --seconds "$each" $connections) ||
                        { say "$who: a call failed"; void=1; continue; }
                    row "$who" "$line"
                    say "round $round, $clients clients, ${connections:-kept connections}: $who $(cut -f6 <<< "$line") runs/s"
                done
            done
        done
    done
    end_all
    rm -rf "$run"/rest.db* "$run"/mlflow "$run"/fasttrackml
fi

# --- from a recorder, on one core -------------------------------------------------------------------

if asks recorder; then
    say "$rate branches a second for $sustained s, on one core"
    while read -r line; do row recorder "$line"; done < <(
        taskset -c 0 "$store" sustained "$run/sustained.db" --rate "$rate" --seconds "$sustained"
    )
    rm -f "$run"/sustained.db*
fi

# --- with many branches ------------------------------------------------------------------------------

if asks many; then
    say "filling a store with $branches branches"
    row many "$("$store" fill "$run/many.db" "$branches")"
    while read -r line; do row many "$line"; done < <("$store" open "$run/many.db")
    for what in "branches --since 1h" "branches --since 12h" "report"; do
        for _ in 1 2 3 4 5 6 7 8 9; do
            before=$EPOCHREALTIME
            # (Unquoted: it is several words.)
            "$spearmint" $what --store "$run/many.db" > /dev/null 2> "$run/listed.txt" || {
                say "\`spearmint $what\` failed: $(cat "$run/listed.txt")"
                exit 1
            }
            after=$EPOCHREALTIME
            row many "listed	$what	$before	$after"
        done
    done
    ui spearmint $((base + 4)) "$run/many.db"
    while read -r line; do row many "$line"; done < <(
        "$rest" searches "127.0.0.1:$((base + 4))" ranker \
            "" \
            "params.llm.model = 'candidate'" \
            "params.llm.model = 'old'" \
            "params.llm.model = 'rare'" \
            "params.llm.model = 'none'" \
            "attributes.status = 'FAILED'" \
            "attributes.status = 'FAILED' AND params.llm.model = 'old'" \
            "metrics.duration_ms > 20.9" \
            "metrics.duration_ms > 1000" \
            "tags.spearmint.role = 'shadow'" \
            "tags.spearmint.failure_kind = 'connect'"
    )
    end_all
    rm -f "$run"/many.db*
fi

say "load after the run: $(cut -d' ' -f1-3 /proc/loadavg); all of it is in $run"
python3 "$here/summary.py" "$run" || void=1
[ -z "${void-}" ] || { say "the run is void"; exit 1; }
