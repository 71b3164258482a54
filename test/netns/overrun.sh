#!/bin/bash
# overrun.sh [ROUNDS]: an event buffer for a handful of events, and churn, many times: the end of each round falls on any moment
# of the repair of earlier losses. After each the caches are what the kernel is.
set -u
. "$(dirname "$0")/common.sh"
rounds=${1:-15}
pair_open overrun
daemon_conf fw-a x FTFW "" "NetlinkBufferSize 4096 NetlinkBufferSizeMaxGrowth 4096 NetlinkOverrunResync 1"
pair_start

# Flows come and go for so many tenths of a second; some of them stay.
churn() {
	local until=$(($(date +%s%N) / 1000000 + $1 * 100)) n=0
	while [ $(($(date +%s%N) / 1000000)) -lt $until ]; do
		flows fw-a churn udp 0 3000 && flows fw-a create tcp $((n % 7 * 500)) 500 2>/dev/null
		flows fw-a delete tcp $((n % 5 * 700)) 300 2>/dev/null
		n=$((n + 1))
	done
}

each_round_is_repaired() {
	local i
	for i in $(seq 1 "$rounds"); do
		churn $((9 + i % 4))
		cache_is_kernel_or_show fw-a 30 && replicated_or_show fw-a fw-b 30 || { echo "round $i" >&2; return 1; }
	done
	[ "$(stat_of fw-a -s runtime 'netlink overrun')" -gt "$rounds" ] || { echo "no overruns: the test tests nothing" >&2; return 1; }
}

run_cases each_round_is_repaired
