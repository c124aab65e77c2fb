#!/bin/sh
# Trains on several machines: a worker on each, which this script starts and watches.
#
#     train/launch.sh host0 host1 -- liteflownet_things --data-dir /data --output /shared/runs/x
#
# The first host is the chief, who writes checkpoints and logs. All hosts need tfflow, the data and
# the folder that this is started in, at the same paths, and ssh without a password. "localhost" is
# started without ssh, and is of use only if all are, as other hosts could not find it by that name.
# Options:
#     PYTHON  the interpreter on the hosts   [the checkout's .venv/bin/python]
#     PORT    of the first worker            [12345]
# When one worker fails, all are stopped: the same command goes on from the last checkpoint.

set -u
PYTHON=${PYTHON:-$(cd "$(dirname "$0")/.." && pwd)/.venv/bin/python}
PORT=${PORT:-12345}

hosts=""
while [ $# -gt 0 ] && [ "$1" != "--" ]; do
    hosts="$hosts $1"
    shift
done
if [ -z "$hosts" ] || [ $# -lt 2 ]; then
    echo "usage: train/launch.sh HOST [HOST ...] -- RECIPE [OPTIONS OF train.py]" >&2
    exit 2
fi
shift

# Every worker has a port of its own, so that several may share a machine.
cluster="" count=0
for host in $hosts; do
    cluster="$cluster${cluster:+, }\"${host#*@}:$((PORT + count))\""
    count=$((count + 1))
done

quoted=""
for argument in "$@"; do
    quoted="$quoted '$(printf %s "$argument" | sed "s/'/'\\\\''/g")'"
done

pids="" index=0
stop() {
    for pid in $pids; do
        kill "$pid" 2>/dev/null
    done
}
trap 'stop; exit 130' INT TERM

for host in $hosts; do
    config="{\"cluster\": {\"worker\": [$cluster]}, \"task\": {\"type\": \"worker\", \"index\": $index}}"
    command="TF_CONFIG='$config' exec '$PYTHON' -m tfflow train $quoted --distribute multi-worker"
    if [ "$host" = localhost ]; then
        sh -c "$command" &
    else
        # A terminal (-tt) takes the worker down with this script.
        ssh -tt "$host" "cd '$PWD' && $command" &
    fi
    pids="$pids $!"
    index=$((index + 1))
done

# Waits for all; the first that fails ends the others, which could not go on without it.
status=0
while [ -n "$pids" ]; do
    left=""
    for pid in $pids; do
        if kill -0 "$pid" 2>/dev/null; then
            left="$left $pid"
        else
            wait "$pid" || status=$?
        fi
    done
    pids=$left
    if [ "$status" -ne 0 ] && [ -n "$pids" ]; then
        echo "launch.sh: a worker ended with status $status; stopping the others" >&2
        sleep "${GRACE:-20}"
        stop
        break
    fi
    [ -n "$pids" ] && sleep 1
done
wait
exit $status
