#!/bin/bash
# recovery.sh: nobody types a command, and the first flows are older than every listener. Nodes start, stop, die and lose their
# link; afterwards both know the same.
set -u
. "$(dirname "$0")/common.sh"
pair_open recovery

late_start_gets_everything() {
	silently fw-a some_of_each fw-a && daemon_start fw-a && daemon_start fw-b && replicated_or_show fw-a fw-b
}

# The table is read again now and then, not without end.
silent_flows_are_looked_at_rarely() {
	local before
	before=$(looks)
	sleep 5
	[ $(($(looks) - before)) -le 4 ] && wait_for 90 looked_since "$before"
}

looks() {
	stat_of fw-a -s runtime 'resync with kernel table'
}

looked_since() {
	[ "$(looks)" -gt "$1" ]
}

silent_ends_are_noticed() {
	silent_ends_are_noticed_of 0
}

# The role's commit reads them again, and takes them for no others than they are; no more does a flush of expectations.
silent_ends_are_noticed_later() {
	own fw-a role primary && wait_for 10 cache_is_kernel fw-a && own fw-a flush kernel expect && silent_ends_are_noticed_of 1 && own fw-a flush kernel expect &&
		silent_ends_are_noticed_of 2
}

silent_ends_are_noticed_of() {
	flows fw-a delete udp "$1" 1 && replicated_or_show fw-a fw-b 90
}

cache_is_empty() {
	[ -z "$(flows_cache "$1" -i)" ]
}

flushed_silent_flows_are_gone() {
	ctl fw-a -F && wait_for 10 cache_is_empty fw-a || return
	ctl fw-b -f external && silently fw-a some_of_each fw-a && ctl fw-a -R && ctl fw-a -B && replicated_or_show fw-a fw-b
}

# The daemon is back and has not read all of the table yet: it has not seen these flows, but the peer has.
ends_during_the_first_look_are_told() {
	flows fw-a create udp 50000 40000 -t 3000 && flows fw-a create tcp 9000 50 && replicated_or_show fw-a fw-b || return
	daemon_kill fw-a
	daemon_start fw-a
	flows fw-a delete tcp 9000 50 && replicated_or_show fw-a fw-b && flows fw-a delete udp 50000 40000 && replicated_or_show fw-a fw-b
}

restarted_backup_gets_everything() {
	daemon_stop fw-b
	flows fw-a create tcp 1000 50 && flows fw-a delete udp 0 3 || return
	daemon_start fw-b
	replicated_or_show fw-a fw-b 90
}

restarted_active_is_believed() {
	daemon_stop fw-a
	flows fw-a create udp 2000 20 && flows fw-a delete tcp 1000 25 || return
	daemon_start fw-a
	known_to_or_show fw-a fw-b
}

killed_backup_gets_everything() {
	daemon_kill fw-b
	flows fw-a create udp 3000 20 || return
	daemon_start fw-b
	replicated_or_show fw-a fw-b
}

killed_active_is_believed() {
	daemon_kill fw-a
	flows fw-a create udp 4000 20 && flows fw-a delete udp 3000 10 || return
	daemon_start fw-a
	known_to_or_show fw-a fw-b
}

# The spare takes over: the kernel's table is read again, the peer asked again. The parent stays.
sync_worker_dies() {
	local p=${DAEMON_PID[$1]} w
	w=$(workers "$1" sync | head -n 1)
	[ -n "$w" ] || { echo "no sync worker below $p" >&2; return 1; }
	kill -KILL "$w"
	flows fw-a create udp "$2" 10 || return
	wait_for 20 alive "$1" || { echo "$1 does not answer any more" >&2; return 1; }
	[ "${DAEMON_PID[$1]}" = "$p" ] && [ -e "/proc/$p" ] || return
	cache_is_kernel_or_show "$1" && known_to_or_show fw-a fw-b
}

worker_of_the_active_dies() { sync_worker_dies fw-a 5000; }
worker_of_the_backup_dies() { sync_worker_dies fw-b 5100; }

# Killing the parent alone: the workers see the end of their channel and leave.
parent_dies_alone() {
	local list
	list=$(tree "${DAEMON_PID[fw-a]}")
	{ kill -KILL "${DAEMON_PID[fw-a]}"; wait "${DAEMON_PID[fw-a]}"; } 2>/dev/null
	wait_for 20 gone $list || { echo "workers outlive their parent" >&2; return 1; }
	daemon_start fw-a
	known_to_or_show fw-a fw-b
}

# Caches afresh on the receiving side: from here on both are equal again.
flush_and_resync() {
	ctl fw-b -f external && ctl fw-b -n && replicated_or_show fw-a fw-b
}

link_goes_and_comes_back() {
	in_ns fw-a ip link set link0 down
	flows fw-a create tcp 6000 200 && flows fw-a delete udp 4000 10 || return
	sleep 1
	in_ns fw-a ip link set link0 up
	in_ns fw-a ip -6 addr add fd99::1/64 dev link0 nodad 2>/dev/null
	replicated_or_show fw-a fw-b 60
}

lossy_link_converges() {
	lab_loss 5 fw-a fw-b || return
	flows fw-a create tcp 10000 3000 -r 3000 && flows fw-a update tcp 10000 3000 -r 3000 -m 9 &&
		flows fw-a delete tcp 10000 1500 -r 3000 || return
	replicated_or_show fw-a fw-b 90 || return
	lab_loss 0 fw-a fw-b
}

both_ways_at_once() {
	flows fw-b create tcp6 0 30 && flows fw-a create udp6 100 30 || return
	replicated_or_show fw-a fw-b && replicated_or_show fw-b fw-a
}

run_cases late_start_gets_everything silent_flows_are_looked_at_rarely silent_ends_are_noticed silent_ends_are_noticed_later flushed_silent_flows_are_gone \
	ends_during_the_first_look_are_told restarted_backup_gets_everything restarted_active_is_believed killed_backup_gets_everything killed_active_is_believed \
	worker_of_the_active_dies worker_of_the_backup_dies parent_dies_alone flush_and_resync link_goes_and_comes_back \
	both_ways_at_once lossy_link_converges
