#!/bin/bash
# roles.sh: what a take-over needs: commit, flush, purge, the three roles, by conntrackctl and by the classic requests.
set -u
. "$(dirname "$0")/common.sh"
pair_open roles "PurgeTimeout 2"

commit_fills_the_kernel() {
	pair_start
	some_of_each fw-a && replicated_or_show fw-a fw-b || return
	ctl fw-b -c && same_kernels_or_show
}

# Committing again changes nothing and fails nothing.
commit_twice() {
	ctl fw-b -c && same_kernels_or_show && [ -z "$(ctl fw-b -c)" ]
}

flush_right_after_commit() {
	ctl fw-b -c && ctl fw-b -f && [ -z "$(flows_cache fw-b -e)" ]
}

kernel_resync_fills_the_cache() {
	ctl fw-b -R && cache_is_kernel_or_show fw-b
}

bulk_send_reaches_the_peer() {
	ctl fw-b -B && replicated_or_show fw-b fw-a
}

resync_request_reaches_us() {
	ctl fw-b -f external && ctl fw-b -n && replicated_or_show fw-a fw-b
}

flush_kernel() {
	ctl fw-b -F && wait_for 10 kernel_is fw-b 0 && cache_is_kernel_or_show fw-b
}

# -t fires after PurgeTimeout …
purge_fires() {
	flows fw-b create udp 900 10 && ctl fw-b -t && wait_for 20 kernel_is fw-b 0 &&
		wait_for 10 grep -q 'flushing kernel conntrack table (scheduled)$' "$LAB_DIR/fw-b.log"
}

# … unless a take-over comes first.
purge_is_cancelled_by_commit() {
	flows fw-b create udp 950 10 && ctl fw-b -t && ctl fw-b -c || return
	sleep 4
	[ "$(in_ns fw-b "$CONNTRACK" -L 2>/dev/null | grep -c 'src=10.0.3.')" -eq 10 ]
}

role_backup() {
	role fw-b backup && wait_for 20 kernel_is fw-b 0 && replicated_or_show fw-a fw-b
}

role_primary() {
	clear_kernel fw-b
	replicated_or_show fw-a fw-b && role fw-b primary && same_kernels_or_show && cache_is_kernel_or_show fw-b &&
		known_to_or_show fw-b fw-a
}

role_fault() {
	role fw-b fault && wait_for 20 kernel_is fw-b 0
}

role_there_and_back() {
	role fw-b backup && role fw-b primary && role fw-b backup && role fw-b primary && alive fw-b
}

kernel_has_more_than() {
	[ "$(count_kernel "$1")" -gt "$2" ]
}

internal_has() {
	[ "$(cache_counter "$1" internal)" -ge "$2" ]
}

many=60000

# What is said to be committed is in the kernel by then, and not a moment later: nothing is waited for here.
returns_when_it_is_done() {
	local how
	for how in 'role fw-b primary' 'ctl fw-b -c' 'in_ns fw-b '"$CT_BIN"'/conntrackctl -C '"$LAB_DIR"'/fw-b.conf commit'; do
		clear_kernel fw-a && clear_kernel fw-b && ctl fw-b -f && flows fw-a create tcp 0 $many -t 3000 &&
			wait_for 30 external_is fw-b $many || return
		$how >/dev/null && kernel_has_more_than fw-b $((many - 1)) || { echo "not yet there: $how" >&2; return 1; }
		case $how in role*) external_is fw-b 0 && wait_for 20 internal_has fw-b $many || return ;; esac
	done
	clear_kernel fw-a && clear_kernel fw-b && ctl fw-b -f
}

# Primary for a moment: until a part of the flows is in the kernel.
take_over_begins() {
	clear_kernel fw-a && clear_kernel fw-b && ctl fw-b -f && flows fw-a create tcp 0 $many -t 3000 &&
		wait_for 30 external_is fw-b $many || return
	in_ns_bg fw-b "$LAB_DIR/role.out" "$CT_BIN/conntrackctl" -C "$LAB_DIR/fw-b.conf" role primary
	until kernel_has_more_than fw-b 500 || [ ! -e /proc/$BG/exe ]; do :; done
}

# Backup again before everything was committed; a commit that was over by then is no test, and is tried again.
take_over_is_stopped() {
	local try
	for try in 1 2 3 4 5 6; do
		take_over_begins && role fw-b backup || return
		wait "$BG"
		[ $? -ne 6 ] || return 0
	done
	echo "the commit was over before it could be stopped" >&2
	return 1
}

# The peer's flows are still known here, and the next take-over has all.
backup_during_take_over() {
	take_over_is_stopped && grep -q 'another role was set' "$LAB_DIR/role.out" && replicated_or_show fw-a fw-b &&
		wait_for 20 kernel_is fw-b 0 && external_is fw-b $many && role fw-b primary && same_kernels_or_show
}

# What the peer was asked for in between may still be arriving, so the external cache need not be empty.
primary_again_during_take_over() {
	take_over_is_stopped && role fw-b primary && same_kernels_or_show && known_to_or_show fw-b fw-a
}

# What belongs to a take-over is done, whether or not somebody waits for it.
take_over_without_client() {
	role fw-a backup && role fw-b backup && wait_for 20 kernel_is fw-b 0 && ctl fw-a -f && take_over_begins || return
	{ kill -KILL "$BG"; wait "$BG"; } 2>/dev/null
	wait_for 20 external_is fw-b 0 && known_to_or_show fw-b fw-a && ctl fw-a -f && clear_kernel fw-a && clear_kernel fw-b
}

unknown_role() {
	! role fw-b emperor 2>/dev/null && alive fw-b
}

hook() {
	in_ns fw-b env CONNTRACKD_CONFIG="$LAB_DIR/fw-b.conf" CONNTRACKD_BIN="$CT_BIN/conntrackd" \
		CONNTRACKCTL_BIN="$1" "$CT_SRC/conf/primary-backup.sh" "$2" >>"$LAB_DIR/hook.log" 2>&1
}

# The script for keepalived, with our tool and with the classic requests alone.
hook_takes_over() {
	clear_kernel fw-b
	ctl fw-b -f && ctl fw-b -n && replicated_or_show fw-a fw-b && hook "$1" primary && same_kernels_or_show &&
		hook "$1" backup && wait_for 20 kernel_is fw-b 0
}

hook_with_conntrackctl() { hook_takes_over "$CT_BIN/conntrackctl"; }
hook_with_classic_requests() { hook_takes_over /nonexistent; }

# The hook of a take-over that is called off does not ask for it once more.
hook_gives_way() {
	local job
	clear_kernel fw-a && clear_kernel fw-b && ctl fw-b -f && flows fw-a create tcp 0 $many -t 3000 &&
		wait_for 30 external_is fw-b $many || return
	hook "$CT_BIN/conntrackctl" primary &
	job=$!
	wait_for 20 kernel_has_more_than fw-b 500 && hook "$CT_BIN/conntrackctl" backup && wait $job || return
	in_ns fw-b "$CT_BIN/conntrackctl" -C "$LAB_DIR/fw-b.conf" --json status | jq -e '.role == "backup"' >/dev/null &&
		wait_for 20 kernel_is fw-b 0
}

hook_refuses_nonsense() {
	! hook "$CT_BIN/conntrackctl" nonsense
}

run_cases commit_fills_the_kernel commit_twice flush_right_after_commit kernel_resync_fills_the_cache \
	bulk_send_reaches_the_peer resync_request_reaches_us flush_kernel purge_fires purge_is_cancelled_by_commit \
	role_backup role_primary role_fault role_there_and_back returns_when_it_is_done backup_during_take_over primary_again_during_take_over \
	take_over_without_client unknown_role hook_with_conntrackctl \
	hook_with_classic_requests hook_gives_way hook_refuses_nonsense
