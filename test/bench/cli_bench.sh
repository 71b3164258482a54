#!/bin/sh
# conntrack beside Debian's conntrack 1.4.7 on one table of many flows: processor time, wall time and peak memory of
# listing, loading, updating, deleting and watching. Needs root. Usage: cli_bench.sh [FLOWS [OUT.md]]
# $CT_BIN: where our conntrack is (default build/bin). The host's limit of entries is raised for the run and restored.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
flows=${1:-1000000}
max=/proc/sys/net/netfilter/nf_conntrack_max
[ "$(id -u)" = 0 ] || { echo "SKIP: needs root"; exit 77; }
[ -w "$max" ] || { echo "SKIP: no $max"; exit 77; }
[ -x /usr/sbin/conntrack ] || { echo "SKIP: /usr/sbin/conntrack is not installed"; exit 77; }
before=$(cat "$max")
work=$(mktemp -d) || exit 1
trap 'echo "$before" > "$max"; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
[ "$before" -ge $((flows * 2)) ] || echo $((flows * 2)) > "$max"
unshare --net python3 "$here/cli_bench.py" "$flows" "$work" ${2:+"$2"}
