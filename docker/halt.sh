#!/bin/sh
# A plantwatch command that is not started again after exit code 65, which says that a person must
# look first (`plantwatch dlq list`): Docker would start it anew whatever it says. The container
# stays then, unhealthy, until `docker compose restart`.
set -u
trap 'kill -TERM "$child"' TERM INT
python -m commands.app "$@" &
child=$!
wait "$child"
code=$?
# A signal ends the wait, not the child, which has work in hand.
while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    code=$?
done
[ "$code" -eq 65 ] || exit "$code"
echo "halted: mend what the lines above say, then \`docker compose restart\` this service" >&2
trap 'kill "$child"; wait "$child"; exit 0' TERM INT
sleep infinity &
child=$!
wait "$child"
