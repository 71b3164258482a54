#!/bin/bash
# full_table.sh: a take-over into a kernel whose table is too small: it is not filled, so new flows still fit. The limit is one for the whole host, so it is lowered for the
# moment of the commit only, and nothing else should run meanwhile.
set -u
. "$(dirname "$0")/common.sh"
pair_open full
max=/proc/sys/net/netfilter/nf_conntrack_max
old_max=$(cat $max)
trap 'echo $old_max >$max; lab_close' EXIT

commit_into_a_full_table() {
	pair_start
	flows fw-a create tcp 0 2000 && wait_for 20 external_is fw-b 2000 || return
	echo 1500 >$max
	CTL_TIMEOUT=20 ctl fw-b -c
	flows fw-b create udp 0 20
	echo "$old_max" >$max
	wait_for 20 grep -q "entries can't be committed" "$LAB_DIR/fw-b.log" &&
		wait_for 20 grep -q 'flows were left out: net.netfilter.nf_conntrack_max is nearly reached' "$LAB_DIR/fw-b.log" &&
		grep -q '\[ERROR\] commit-create: ' "$LAB_DIR/fw-b.log" && alive fw-b || return
	[ "$(in_ns fw-b "$CONNTRACK" -L -p udp --dport 80 2>/dev/null | grep -c '^udp')" = 20 ] &&
		[ "$(count_kernel fw-b)" -gt 1300 ] && [ "$(count_kernel fw-b)" -le 1450 ]
}

commit_again_with_room() {
	flows fw-b delete udp 0 20 && ctl fw-b -c && same_kernels_or_show && cache_is_kernel_or_show fw-b
}

run_cases commit_into_a_full_table commit_again_with_room
