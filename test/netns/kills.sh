#!/bin/bash
# kills.sh [N]: N times (100), at a random moment of start-up, load or shutdown, every process of the daemon gets SIGKILL.
# The next start must work, every time, and in the end the two nodes agree.
set -u
rounds=${1:-100}
. "$(dirname "$0")/common.sh"
pair_open kills
daemon_start fw-b

any_moment() {
	sleep "0.$(printf '%03d' $((RANDOM % ${1:-250})))"
}

round() {
	in_ns_bg fw-a "$LAB_DIR/fw-a.out" "$CT_BIN/conntrackd" -C "$LAB_DIR/fw-a.conf"
	DAEMON_PID[fw-a]=$BG
	flows fw-a create udp $(($1 * 10)) 10
	[ $(($1 % 5)) -ne 0 ] || ctl fw-a -c >/dev/null 2>&1 &
	any_moment
	daemon_kill fw-a
	[ $(($1 % 10)) -ne 9 ] || { daemon_start fw-a; daemon_kill fw-a; }
}

next_start_always_works() {
	local i
	for ((i = 0; i < rounds; i++)); do
		round $i
	done
	daemon_start fw-a && cache_is_kernel_or_show fw-a
}

nodes_agree() {
	known_to_or_show fw-a fw-b
}

nothing_is_left_behind() {
	local list
	list=$(tree "${DAEMON_PID[fw-a]}")
	daemon_stop fw-a
	wait_for 10 gone $list
}

run_cases next_start_always_works nodes_agree nothing_is_left_behind
