#!/bin/bash
# link_forms.sh: links that leave something to the routes: no own address, a relay on the loopback, a device without the
# address, both ends one address.
set -u
. "$(dirname "$0")/common.sh"
pair_open link_forms

logged() {
	grep -q "$2" "$LAB_DIR/$1.log" || { cat "$LAB_DIR/$1.log" >&2; return 1; }
}

# form EXPRESSION…: both configurations, edited by sed; the daemons run.
form() {
	local fw e
	for fw in fw-a fw-b; do
		[ -z "${DAEMON_PID[$fw]:-}" ] || daemon_stop $fw
		clear_kernel $fw
		rm -f "$LAB_DIR/$fw.log"
		daemon_conf $fw x "${MODE:-FTFW}"
		for e in "$@"; do
			sed -i "$e" "$LAB_DIR/$fw.conf"
		done
	done
	pair_start
}

both_ways() {
	flows fw-a create tcp 0 50 && flows fw-b create tcp6 0 50 && replicated_or_show fw-a fw-b && replicated_or_show fw-b fw-a
}

no_own_address() {
	form 's/IPv4_address 10\.99\.0\.[0-9]//' && both_ways
}

any_own_address() {
	form 's/IPv4_address 10\.99\.0\.[0-9]/IPv4_address 0.0.0.0/' && both_ways
}

group_without_interface_address() {
	TRANSPORT=mcast4 form 's/IPv4_interface 10\.99\.0\.[0-9]//' && both_ways
}

# The datagrams go to a relay on the own host, and come from the other node's, whose address no configuration has: refused
# and named, with the keyword that takes it.
relay() {
	local to_relay='s/IPv4_Destination_Address 10\.99\.0\.[0-9]/IPv4_Destination_Address 127.0.0.1/; s/Interface link0/Interface lo/'
	in_ns_bg fw-a "$LAB_DIR/relay-a.out" python3 "$CT_SRC/test/netns/relay.py" 127.0.0.1 10.99.0.2
	in_ns_bg fw-b "$LAB_DIR/relay-b.out" python3 "$CT_SRC/test/netns/relay.py" 127.0.0.1 10.99.0.1
	form "$to_relay" || return
	wait_for 20 logged fw-a 'datagrams from 10.99.0.2 on lo are refused: the peer there is 127.0.0.1 (IPv4_Destination_Address); CheckSource Off' || return
	wait_for 10 logged fw-b 'link 1 is not bound to lo' || return
	for mode in FTFW NOTRACK; do
		MODE=$mode form "$to_relay; s/Interface lo/Interface lo CheckSource Off/" && both_ways || return
	done
}

# A port of the bridge that has the address.
device_without_the_address() {
	local fw
	for fw in fw-a fw-b; do
		in_ns $fw ip link add br0 type bridge && in_ns $fw ip link set br0 up && in_ns $fw ip link set link0 master br0 &&
			in_ns $fw ip addr flush dev link0 || return
	done
	lab_addr fw-a br0 10.99.0.1/24
	lab_addr fw-b br0 10.99.0.2/24
	form && both_ways || return
	lab_addr fw-a br0 fd99::1/64
	lab_addr fw-b br0 fd99::2/64
	TRANSPORT=udp6 form && both_ways && wait_for 10 logged fw-a 'link 1 is not bound to link0'
}

# Nobody to replicate to: it runs, says why, and does not take itself for a peer.
both_ends_one_address() {
	form 's/IPv4_Destination_Address 10\.99\.0\.2/IPv4_Destination_Address 10.99.0.1/' || return
	flows fw-a create tcp 100 5 && wait_for 20 logged fw-a 'both ends of the link on link0 are 10.99.0.1' || return
	[ "$(cache_counter fw-a external)" = 0 ] && own fw-a status | grep -q 'never heard'
}

run_cases no_own_address any_own_address group_without_interface_address relay device_without_the_address both_ends_one_address
