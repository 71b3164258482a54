#!/bin/bash
# links.sh: two dedicated links: their sockets are as configured, one stands in for the other, and the log says so.
set -u
. "$(dirname "$0")/common.sh"

eval "first_link() $(declare -f daemon_link | sed 1d)"

daemon_link() {
	first_link "$@"
	echo "UDP { IPv4_address 10.98.0.$1 IPv4_Destination_Address 10.98.0.$2 Port 3781 Interface link1 Checksum off"
	echo "SndSocketBuffer 100000 RcvSocketBuffer 200000 }"
}

pair_open links
lab_wire fw-a link1 fw-b link1
lab_addr fw-a link1 10.98.0.1/24
lab_addr fw-b link1 10.98.0.2/24

without_link() {
	grep -v -e ' src=10.9[89].0.' -e ' src=fd99:' -e ' src=fe80'
}

# Counts datagrams with and without checksum where they arrive.
count_checksums() {
	in_ns fw-b nft -f - <<-NFT
		table inet sums {
			counter link0_with {}
			counter link0_without {}
			counter link1_with {}
			counter link1_without {}
			chain in {
				type filter hook prerouting priority -400
				iifname link0 udp dport 3780 udp checksum 0 counter name link0_without
				iifname link0 udp dport 3780 udp checksum != 0 counter name link0_with
				iifname link1 udp dport 3781 udp checksum 0 counter name link1_without
				iifname link1 udp dport 3781 udp checksum != 0 counter name link1_with
			}
		}
	NFT
}

seen() {
	[ "$(in_ns fw-b nft list counter inet sums "$1" | awk '$1 == "packets" { print $2 }')" -gt 0 ]
}

# has_socket PATTERN: one socket a line, its buffers at the end.
has_socket() {
	in_ns fw-a ss -uamnH | paste - - | grep -q "$1" || { in_ns fw-a ss -uamnH | paste - - >&2; return 1; }
}

# One socket receives, one sends. The kernel accounts twice what is asked for.
sockets_are_as_configured() {
	count_checksums && pair_start && some_of_each fw-a && replicated_or_show fw-a fw-b || return
	has_socket '10\.99\.0\.1%link0:3780[[:space:]].*rb8388608,' && has_socket ' 10\.99\.0\.2:3780[[:space:]].*tb8388608,' || return
	has_socket '10\.98\.0\.1%link1:3781[[:space:]].*rb400000,' && has_socket ' 10\.98\.0\.2:3781[[:space:]].*tb200000,' || return
	seen link0_with && ! seen link0_without
}

logged() {
	grep -qF "$2" "$LAB_DIR/$1.log"
}

active_is() {
	ctl "$1" -s | grep -q "^UDP traffic (active device=$2):$"
}

# fw-b sees the carrier go, or hears from fw-a over the other link, which is nothing to write down.
second_link_stands_in() {
	in_ns fw-a ip link set link0 down
	wait_for 10 logged fw-a "[notice] device \`link1' becomes dedicated link" && active_is fw-a link1 && wait_for 10 active_is fw-b link1 || return
	flows fw-a create tcp 1000 100 && flows fw-b create udp6 1000 100 && replicated_or_show fw-b fw-a && known_to_or_show fw-a fw-b &&
		seen link1_without && ! seen link1_with
}

no_link_is_left() {
	! logged fw-a 'no dedicated links available' || return
	in_ns fw-a ip link set link1 down
	wait_for 10 logged fw-a '[ERROR] no dedicated links available!' || return
	flows fw-a create tcp 2000 100 && flows fw-a delete tcp 1000 50 || return
	in_ns fw-a ip link set link0 up
	replicated_or_show fw-a fw-b 60
}

# New sockets, bound and connected as the first ones, for both directions; and nobody else gets the port.
device_made_again() {
	in_ns fw-a ip link del link0
	lab_link fw-a fw-b
	wait_for 20 has_socket '10\.99\.0\.1%link0:3780[[:space:]]' || return
	in_ns fw-a ip link set link1 down
	flows fw-a create tcp 3000 50 && flows fw-b create udp6 3000 50 && replicated_or_show fw-a fw-b 40 && known_to_or_show fw-b fw-a || return
	! in_ns fw-a setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 "$CT_SRC/test/netns/stranger.py" take 4 10.99.0.1 3780 link0
}

run_cases sockets_are_as_configured second_link_stands_in no_link_is_left device_made_again
