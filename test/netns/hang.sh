#!/bin/bash
# hang.sh: a sync worker that does not die but stands still. The parent cuts it off and ends it, and the spare takes over.
set -u
. "$(dirname "$0")/common.sh"
export WATCHDOG_USEC=2000000 # the parent looks every second
pair_open hang

both_run() {
	pair_start && some_of_each fw-a && flows fw-a create tcp 1000 2000 && flows fw-a update tcp 1000 2000 -m 5 &&
		replicated_or_show fw-a fw-b
}

# What B refused or missed on the link.
misfits() {
	echo "$(stat_of fw-b -s network 'Packets lost') $(stat_of fw-b -s network 'Packets before')"
}

cut_off() {
	grep -q "(pid=$2) gives no sign of life: cut off" "$LAB_DIR/$1.log"
}

worker_hangs() {
	local p=${DAEMON_PID[$1]} w before
	w=$(workers "$1" sync | head -n 1)
	[ -n "$w" ] && kill -STOP "$w" || return
	flows fw-a create udp "$2" 500 || return
	wait_for 40 cut_off "$1" "$w" && wait_for 20 alive "$1" || return
	wait_for 10 gone "$w" || { echo "the old worker stays" >&2; return 1; }
	cache_is_kernel_or_show "$1" && known_to_or_show fw-a fw-b || return
	before=$(misfits)
	flows fw-a create udp $(($2 + 500)) 100 && known_to_or_show fw-a fw-b || return
	[ "$(misfits)" = "$before" ] || { echo "lost and refused by fw-b: $before, then $(misfits)" >&2; return 1; }
	[ "${DAEMON_PID[$1]}" = "$p" ] && alive "$1"
}

worker_of_the_active_hangs() { worker_hangs fw-a 20000; }
worker_of_the_backup_hangs() { worker_hangs fw-b 21000; }

# All of a node at once, as when its control group is frozen: for longer than a worker may be silent.
whole_node_stands_still() {
	local list
	list=$(tree "${DAEMON_PID[fw-a]}")
	kill -STOP $list && sleep 15 && kill -CONT $list || return
	flows fw-a create udp 22000 100 && known_to_or_show fw-a fw-b || return
	[ "$(grep -c "cut off" "$LAB_DIR/fw-a.log")" = 1 ]
}

run_cases both_run worker_of_the_active_hangs worker_of_the_backup_hangs whole_node_stands_still
