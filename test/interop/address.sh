#!/bin/bash
# address.sh MODE: Debian's daemon does not bind the address that it sends from. Its device has a second one, added before
# the configured one, so that its datagrams come from there.
set -u
. "${CT_SRC:-$(dirname "$0")/../..}/test/netns/common.sh"
lab_daemons ours debian
lab_open "interop-address-$1"
lab_node fw-a fw-b
lab_wire fw-a link0 fw-b link0
lab_addr fw-a link0 10.99.0.1/24
lab_addr fw-b link0 10.99.0.12/24 10.99.0.2/24
for fw in fw-a fw-b; do
	daemon_conf $fw x "$1"
	daemon_start $fw
done

logged() {
	grep -c "$1" "$LAB_DIR/fw-a.log"
}

is_logged() {
	[ "$(logged "$1")" = 1 ]
}

named_in_status() {
	own fw-a status | tee -a "$LAB_DIR/status.out" | grep -q '10\.99\.0\.12'
}

# Our acknowledged numbers prove who it is.
replicates() {
	flows fw-b create tcp 0 50 && replicated_or_show fw-b fw-a && flows fw-a create udp 100 50 && replicated_or_show fw-a fw-b &&
		wait_for 10 is_logged 'the peer 10.99.0.2 on link0 sends from 10.99.0.12' && ! is_logged 'are refused' && named_in_status
}

# The other address goes: the kernel takes the configured one.
address_moves() {
	in_ns fw-b ip addr del 10.99.0.12/24 dev link0
	in_ns fw-b ip addr add 10.99.0.2/24 dev link0 2>/dev/null
	flows fw-b create tcp 100 50 && replicated_or_show fw-b fw-a
}

# Nothing proves anything in this mode.
refused_and_named() {
	flows fw-b create tcp 0 5
	wait_for 20 is_logged 'datagrams from 10.99.0.12 on link0 are refused: the peer there is 10.99.0.2 (IPv4_Destination_Address); CheckSource Off' &&
		named_in_status
}

follows_the_remedy() {
	daemon_stop fw-a
	sed -i 's/Interface link0/Interface link0 CheckSource Off/' "$LAB_DIR/fw-a.conf"
	daemon_start fw-a
	flows fw-b create tcp 100 50 && ctl fw-b -B && replicated_or_show fw-b fw-a
}

if [ "$1" = FTFW ]; then run_cases replicates address_moves; else run_cases refused_and_named follows_the_remedy; fi
