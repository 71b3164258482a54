#!/bin/bash
# limits.sh: everything that can be full: event buffer, cache, disk. The daemon says so, goes on, and repairs what can be.
set -u
. "$(dirname "$0")/common.sh"
pair_open limits

# A buffer for a handful of events: overruns are certain, equality afterwards is required.
overrun_is_repaired() {
	daemon_conf fw-a x FTFW "" "NetlinkBufferSize 4096 NetlinkBufferSizeMaxGrowth 16384 NetlinkOverrunResync 1"
	pair_start
	flows fw-a churn udp 0 30000 && flows fw-a create tcp 0 20000 && flows fw-a delete tcp 0 15000 || return
	[ "$(stat_of fw-a -s runtime 'netlink overrun')" -gt 0 ] || { echo "no overrun: the test tests nothing" >&2; return 1; }
	cache_is_kernel_or_show fw-a 60 && replicated_or_show fw-a fw-b 60 &&
		wait_for 10 grep -q 'netlink event socket buffer size has been doubled to [0-9]* bytes$' "$LAB_DIR/fw-a.log" &&
		wait_for 10 grep -q 'buffer size cannot be doubled further since it will exceed' "$LAB_DIR/fw-a.log" &&
		[ "$(grep -c 'buffer size cannot be doubled further' "$LAB_DIR/fw-a.log")" = 1 ]
}

overrun_of_the_backup_is_harmless() {
	daemon_stop fw-a && daemon_stop fw-b
	clear_kernel fw-a
	daemon_conf fw-a x
	daemon_conf fw-b x FTFW "" "NetlinkBufferSize 4096 NetlinkBufferSizeMaxGrowth 16384 NetlinkOverrunResync 1"
	pair_start
	flows fw-a create tcp 0 20000 -r 40000 && replicated_or_show fw-a fw-b && ctl fw-b -c && same_kernels_or_show &&
		cache_is_kernel_or_show fw-b 60
}

# What does not fit is refused and counted; what fits is replicated.
full_cache_is_counted() {
	daemon_stop fw-a && daemon_stop fw-b
	clear_kernel fw-a && clear_kernel fw-b
	daemon_conf fw-a x
	daemon_conf fw-b x
	sed -i 's/HashLimit .*/HashLimit 1000/' "$LAB_DIR/fw-a.conf" "$LAB_DIR/fw-b.conf"
	pair_start
	flows fw-a create udp 0 1500 -r 5000 || return
	wait_for 20 refused_some || { ctl fw-a -s cache >&2; return 1; }
	wait_for 20 grep -q 'HashLimit 1000 is reached: [0-9]* flows of this node' "$LAB_DIR/fw-a.log" || return
	[ "$(cache_counter fw-a internal)" -le 1000 ] && alive fw-b && [ "$(cache_counter fw-b external)" -le 1000 ]
}

refused_some() {
	[ "$(ctl fw-a -s cache | awk '/no space left in cache/ { print $NF; exit }')" -ge 500 ]
}

# Room again: new flows are taken again.
full_cache_recovers() {
	flows fw-a delete udp 0 1500 && wait_for 20 external_is fw-b 0 && flows fw-a create tcp 0 300 &&
		replicated_or_show fw-a fw-b
}

# Ends that wait for a link fill the cache: what came while it was full is replicated all the same when there is room.
full_while_the_link_is_down() {
	flows fw-a delete tcp 0 300 && wait_for 20 external_is fw-b 0 || return
	in_ns fw-b ip link set link0 down
	for i in 1 2 3 4 5 6; do
		flows fw-a create udp $((i * 1000)) 300 && flows fw-a delete udp $((i * 1000)) 300 || return
	done
	flows fw-a create tcp 0 50
	[ "$(cache_counter fw-a internal)" -lt 50 ] || { echo "the cache was not full" >&2; return 1; }
	in_ns fw-b ip link set link0 up
	replicated_or_show fw-a fw-b 40 && [ "$(cache_counter fw-a internal)" -eq 50 ]
}

# The peer has more than fits here: as soon as it has less, we have all of it.
full_of_the_peers_flows() {
	daemon_stop fw-a && daemon_conf fw-a x && daemon_start fw-a && flows fw-a create udp 0 1200 &&
		wait_for 20 external_is fw-b 1000 && flows fw-a delete udp 0 400 && replicated_or_show fw-a fw-b 40 || return
	clear_kernel fw-a
	wait_for 20 external_is fw-b 0 # or the next case stops fw-a before all ends are sent, and fw-b keeps the rest
}

full_disk_does_not_stop_it() {
	daemon_stop fw-a
	mkdir -p "$LAB_DIR/tiny"
	mount -t tmpfs -o size=16k,mode=755 tmpfs "$LAB_DIR/tiny" || return
	daemon_conf fw-a x
	sed -i "s|LogFile .*|LogFile $LAB_DIR/tiny/log|" "$LAB_DIR/fw-a.conf"
	dd if=/dev/zero of="$LAB_DIR/tiny/ballast" bs=1k count=64 2>/dev/null
	daemon_start fw-a
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		ctl fw-a -B && ctl fw-a -R || return
	done
	flows fw-a create udp 5000 50 && replicated_or_show fw-a fw-b && alive fw-a
}

# With room again the log says how much is missing and why.
full_disk_is_counted() {
	rm -f "$LAB_DIR/tiny/ballast"
	wait_for 10 losses_are_told && alive fw-a
}

losses_are_told() {
	ctl fw-a -B && grep -q '\[warning\] [1-9][0-9]* log lines were lost: No space left on device' "$LAB_DIR/tiny/log"
}

log_file_vanishes() {
	rm -f "$LAB_DIR/tiny/log"
	flows fw-a create udp 6000 50 && ctl fw-a -B && replicated_or_show fw-a fw-b && alive fw-a
}

run_cases overrun_is_repaired overrun_of_the_backup_is_harmless full_cache_is_counted full_cache_recovers \
	full_while_the_link_is_down full_of_the_peers_flows full_disk_does_not_stop_it full_disk_is_counted log_file_vanishes
