#!/usr/bin/env bash
# The affinity server beside redis-server's PING, in turns: requests per second of 50 connections that ask one question
# at a time, each as a ratio to redis-server's in the same round, and the server's processor time per request. Medians
# at the end.
#
#   cargo build --release -p corelane-example-affinity && examples/affinity/compare.sh [ROUNDS] [SECONDS]
#
# Needs redis-server and redis-benchmark. AFFINITY names the binary if it is elsewhere than in target/release.
set -eu
rounds=${1:-5}
seconds=${2:-3}
affinity=${AFFINITY:-target/release/affinity}
rows=$(mktemp)
server=
trap 'test -z "$server" || kill "$server"; rm -f "$rows" "$rows.ready"' EXIT

# row NAME RATE REDIS_RATE CPU_TICKS REQUESTS
row() {
    awk -v name="$1" -v rate="$2" -v redis="$3" -v ticks="$4" -v hertz="$(getconf CLK_TCK)" -v requests="$5" \
        'BEGIN { printf "%s\t%.0f\t%.3f\t%.2f us\n", name, rate, rate / redis, ticks / hertz * 1e6 / requests }' |
        tee -a "$rows"
}

# The processor time that the server has used, user and system.
ticks() {
    sed 's/.*) //' "/proc/$server/stat" | awk '{ print $12 + $13 }'
}

redis() {
    redis-server --port 7043 --save '' --appendonly no >/dev/null &
    server=$!
    until redis-cli -p 7043 ping >/dev/null 2>&1; do sleep 0.1; done
    requests=$((seconds * 100000))
    ping=$(redis-benchmark -p 7043 -t ping_mbulk -c 50 -P 1 -n "$requests" -q | tr '\r' '\n' | sed -n 's/.*PING_MBULK: \([0-9.]*\) requests.*/\1/p' | tail -n 1)
    inline=$(redis-benchmark -p 7043 -t ping_inline -c 50 -P 1 -n "$requests" -q | tr '\r' '\n' | sed -n 's/.*PING_INLINE: \([0-9.]*\) requests.*/\1/p' | tail -n 1)
    used=$(ticks)
    stop
    row "redis-server PING" "$ping" "$ping" "$used" $((2 * requests))
    row "redis-server PING, inline" "$inline" "$ping" "$used" $((2 * requests))
}

# ours NAME SERVE_ARGS CLIENT_ARGS
ours() {
    # shellcheck disable=SC2086
    "$affinity" serve --listen 127.0.0.1:7044 --spin-us 0 $2 >"$rows.ready" &
    server=$!
    until grep -q ready "$rows.ready"; do sleep 0.1; done
    # shellcheck disable=SC2086
    line=$("$affinity" client --connect 127.0.0.1:7044 --warm-up 0.5 --seconds "$seconds" $3)
    exec 3<>/dev/tcp/127.0.0.1/7044
    echo stats >&3
    read -r stats <&3
    exec 3>&-
    served=$(tr ' ' '\n' <<<"$stats" | awk -F= '/^(local|hops)=/ { sum += $2 } END { print sum }')
    used=$(ticks)
    stop
    row "$1" "${line%% *}" "$ping" "$used" "$served"
    echo "    ${line#*; }"
}

stop() {
    kill "$server"
    wait "$server" || true
    server=
}

for _ in $(seq "$rounds"); do
    redis
    ours "1 shard" "--shards 1" ""
    ours "2 shards, hop" "--shards 2 --routing hop" ""
    ours "2 shards, adaptive" "--shards 2 --routing adaptive" ""
    ours "2 shards, adaptive, runs of 200" "--shards 2 --routing adaptive" "--run-length 200"
    ours "2 shards, migrate" "--shards 2 --routing migrate" ""
    ours "2 shards, migrate, runs of 200" "--shards 2 --routing migrate" "--run-length 200"
done

echo
echo "medians of $rounds rounds: name, requests/s, ratio to redis-server PING, server's processor time per request"
cut -f1 "$rows" | awk '!seen[$0]++' | while IFS= read -r name; do
    middle=$(((rounds + 1) / 2))
    rate=$(awk -F '\t' -v name="$name" '$1 == name { print $2 }' "$rows" | sort -n | sed -n "${middle}p")
    ratio=$(awk -F '\t' -v name="$name" '$1 == name { print $3 }' "$rows" | sort -n | sed -n "${middle}p")
    cpu=$(awk -F '\t' -v name="$name" '$1 == name { print $4 }' "$rows" | sort -n | sed -n "${middle}p")
    printf '%-36s %8s %8s %10s\n' "$name" "$rate" "$ratio" "$cpu"
done
