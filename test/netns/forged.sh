#!/bin/bash
# forged.sh: a stranger on the link speaks as the peer.
set -u
. "$(dirname "$0")/common.sh"
pair_open forged
daemon_start fw-b

forge() {
	in_ns fw-a python3 "$CT_SRC/test/netns/forge.py" "$@"
}

logged() {
	grep -c "$1" "$LAB_DIR/fw-b.log"
}

# The last line about a commit; the log worker may still be writing it.
commits_without_helpers_are() {
	[ "$(logged '2000 entries had to do without')" = "$1" ]
}

# Helpers that the kernel does not have: it looks for a module each time it is asked. The flows are worth having without.
unknown_helper() {
	forge 1000 2000 junk && wait_for 20 external_is fw-b 2000 && ctl fw-b -c || return
	[ "$(in_ns fw-b "$CONNTRACK" -L 2>/dev/null | grep -c dport=21)" = 2000 ] &&
		wait_for 10 commits_without_helpers_are 1 &&
		[ "$(logged "helper .junk. is not known to this kernel")" = 1 ] && [ "$(logged "can't be committed")" = 0 ]
}

unknown_helpers() {
	clear_kernel fw-b
	ctl fw-b -f external && forge 3000 2000 'j%d' && wait_for 20 external_is fw-b 2000 && ctl fw-b -c || return
	[ "$(in_ns fw-b "$CONNTRACK" -L 2>/dev/null | grep -c dport=21)" = 2000 ] &&
		wait_for 10 commits_without_helpers_are 2
}

# How many flows of fw-b have the mark.
marked() {
	in_ns fw-b "$CONNTRACK" -L -m "$1" 2>/dev/null | grep -c '^tcp.*dport=80'
}

# Flows that live here, as this kernel says itself, are not what a stranger says they are. Those that are not here are taken.
own_flows_stay() {
	clear_kernel fw-b
	ctl fw-b -f && flows fw-b create tcp 0 200 -m 5 && wait_for 10 knows_200 || return
	forge 6000 300 mark=666 && wait_for 20 external_is fw-b 300 && ctl fw-b -c || return
	[ "$(marked 5)" = 200 ] && [ "$(marked 666)" = 100 ] &&
		wait_for 10 grep -q '200 flows of peers were not written: they live here already$' "$LAB_DIR/fw-b.log"
}

# The kernel finds a flow by the tuple of either direction.
own_flows_stay_the_other_way_round() {
	clear_kernel fw-b
	ctl fw-b -f && flows fw-b create tcp 0 200 -m 5 && wait_for 10 knows_200 || return
	forge 20000 200 swap=666 && wait_for 20 external_is fw-b 200 && ctl fw-b -c || return
	[ "$(marked 5)" = 200 ] && [ "$(in_ns fw-b "$CONNTRACK" -L -m 666 2>/dev/null | grep -c .)" = 0 ]
}

knows_200() {
	[ "$(cache_counter fw-b internal)" = 200 ]
}

# What was handed over to the other node is what that one says: it may have changed there.
after_a_hand_over() {
	ctl fw-b -t && ctl fw-b -c && [ "$(marked 666)" = 300 ]
}

run_cases unknown_helper unknown_helpers own_flows_stay after_a_hand_over own_flows_stay_the_other_way_round
