#!/bin/bash
# amounts.sh: the sync worker and the parent under their filters, with little and much of whatever may repeat: networks of
# a filter, flows, slices of a dump, control clients. A call that only much data needs would end a worker.
set -u
. "$(dirname "$0")/common.sh"
pair_open amounts

# nets N: N addresses, in no order.
nets() {
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) { k = i * 7919 % 100003; printf "IPv4_address 10.%d.%d.%d\n", 100 + k / 65536, k / 256 % 256, k % 256 } }'
}

nobody_died() {
	! grep -h 'has aborted\|broke rule\|takes over\|ERROR' "$LAB_DIR"/*.log && alive fw-a && alive fw-b
}

# The list is used: what it names stays here, what it does not name is replicated.
filter_of() {
	daemon_conf fw-a x NOTRACK "" "Filter { Address Ignore { $(nets "$1") IPv4_address 10.0.0.0/25 } }"
	"$CT_BIN/conntrackd" --check -C "$LAB_DIR/fw-a.conf" && daemon_start fw-a && flows fw-a create tcp 0 200 &&
		wait_for 20 external_is fw-b 72 && nobody_died
}

filters() {
	local n
	daemon_conf fw-b x NOTRACK
	daemon_start fw-b
	for n in 0 1 60 1000 65535; do
		filter_of $n || { echo "with $n addresses" >&2; return 1; }
		daemon_stop fw-a
		clear_kernel fw-a
		ctl fw-b -f external
	done
}

# The check and the start say the same.
too_long_a_filter() {
	local what
	daemon_conf fw-a x NOTRACK "" "Filter { Address Ignore { $(nets 65537) } }"
	for what in --check ''; do
		in_ns fw-a timeout 60 "$CT_BIN/conntrackd" $what -C "$LAB_DIR/fw-a.conf" >"$LAB_DIR/said" 2>&1
		[ $? = 1 ] && grep -q 'fw-a\.conf:[0-9]*:[0-9]*: .*more than 65536 addresses in `Filter' "$LAB_DIR/said" || return
	done
}

flow_numbers() {
	local n
	daemon_stop fw-b
	daemon_conf fw-a x && daemon_conf fw-b x && pair_start
	for n in 0 1 60 1000 100000; do
		[ $n = 0 ] || flows fw-a create tcp 0 $n -t 3000 || return
		wait_for 60 external_is fw-b $n && [ "$(ctl fw-a -i | without_link | wc -l)" = $n ] && [ "$(ctl fw-b -e | wc -l)" = $n ] &&
			ctl fw-a -B && ctl fw-a -R && wait_for 60 external_is fw-b $n || { echo "with $n flows" >&2; return 1; }
		ctl fw-b -c && kernel_has $n && nobody_died || { echo "after the commit of $n flows" >&2; return 1; }
		ctl fw-b -f && clear_kernel fw-b && clear_kernel fw-a && wait_for 60 external_is fw-b 0 || return
	done
}

kernel_has() {
	[ "$(in_ns fw-b "$CONNTRACK" -L -p tcp 2>/dev/null | wc -l)" -ge "$1" ]
}

# A restart finds them all in one dump of the kernel.
flows_at_the_start() {
	daemon_stop fw-a
	silently fw-a flows fw-a create udp 0 100000 -t 3000 && daemon_start fw-a 60 && wait_for 60 external_is fw-b 100000 && nobody_died
}

client_numbers() {
	local n
	for n in 0 1 60 1000 100000; do
		in_ns fw-a python3 "$CT_SRC/test/netns/clients.py" "$LAB_DIR/fw-a.sock" crowd $n || return
		wait_for 20 ctl fw-a -s && nobody_died || { echo "after $n clients" >&2; return 1; }
	done
}

lines_are() {
	[ "$(grep -c 'src=10\.' "$LAB_DIR/stats.log")" = "$1" ]
}

# Statistics mode: its worker keeps them, and the log worker of its lines writes each that ends.
statistics() {
	local n sum=0
	daemon_stop fw-a
	clear_kernel fw-a
	daemon_conf fw-a x
	sed -i -e '1,/^General/{/^General/!d}' -e '$aStats { LogFile '"$LAB_DIR/stats.log }" "$LAB_DIR/fw-a.conf"
	rm -f "$LAB_DIR/fw-a.log"
	daemon_start fw-a
	for n in 0 1 60 1000 100000; do
		[ $n = 0 ] || { flows fw-a create tcp 0 $n -t 3000 && flows fw-a delete tcp 0 $n; } || return
		sum=$((sum + n))
		wait_for 60 lines_are $sum && ! grep 'has aborted\|takes over\|ERROR' "$LAB_DIR/fw-a.log" || { echo "with $n flows: $(wc -l <"$LAB_DIR/stats.log")" >&2; return 1; }
	done
	ctl fw-a -k && wait "${DAEMON_PID[fw-a]}"
}

run_cases filters too_long_a_filter flow_numbers flows_at_the_start client_numbers statistics
