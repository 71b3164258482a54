#!/bin/bash
# group.sh [debian]: more than one peer. Three firewalls in one multicast group, and two links with one local end to two
# peers. debian: the third one is conntrackd 1.4.7, with which FT-FW is for two.
set -u
. "$(dirname "$0")/common.sh"
[ "${1:-}" != debian ] || { lab_daemons ours ours && CT_DAEMON_fw_c=/usr/sbin/conntrackd; }
lab_open "netns-group${1:-}"
lab_node fw-a fw-b fw-c hub
in_ns hub ip link add link0 type bridge
in_ns hub ip link set link0 up
number=0
for fw in fw-a fw-b fw-c; do
	number=$((number + 1))
	lab_wire $fw link0 hub $fw
	in_ns hub ip link set $fw master link0
	lab_addr $fw link0 10.99.0.$number/24
done

eval "one_link() $(declare -f daemon_link | sed 1d)"

# With TWO the first one has a second link, which differs in the peer only.
daemon_link() {
	one_link "$@"
	[ -z "${TWO:-}" ] || [ "$1" != 1 ] || one_link 1 3
}

# confs MODE: the same link on all; that of the third is made of the second's.
confs() {
	local fw
	for fw in fw-a fw-b; do
		daemon_conf $fw x "$1"
	done
	sed 's/10\.99\.0\.2/10.99.0.3/; s/fw-b/fw-c/' "$LAB_DIR/fw-b.conf" >"$LAB_DIR/fw-c.conf"
}

start_all() {
	local fw
	for fw in fw-a fw-b fw-c; do
		clear_kernel $fw
		rm -f "$LAB_DIR/$fw.log"
		daemon_start $fw
	done
}

stop_all() {
	local fw
	for fw in fw-a fw-b fw-c; do
		daemon_stop $fw
	done
}

logged() {
	grep -q "$2" "$LAB_DIR/$1.log" || { cat "$LAB_DIR/$1.log" >&2; return 1; }
}

# Each has what the two others have.
all_know_all() {
	local fw
	for fw in fw-a fw-b fw-c; do
		[ "$(for other in fw-a fw-b fw-c; do [ $other = $fw ] || flows_kernel $other | canon_external; done | sort)" = \
			"$(flows_cache $fw -e)" ] || return
	done
}

status_of() {
	own "$1" status | tee -a "$LAB_DIR/status.out" | grep "^$2" | grep -q "$3"
}

all_in_sync() {
	local fw
	for fw in fw-a fw-b fw-c; do
		is_ours $fw || continue
		status_of $fw peer 'in sync' && ! status_of $fw peer 'not in sync' && ! status_of $fw warning 'lost' || return
	done
}

some_on_each() {
	flows fw-a create tcp "$1" 100 && flows fw-b create tcp $(($1 + 10000)) 100 && flows fw-c create tcp $(($1 + 20000)) 100
}

notrack() {
	TRANSPORT=mcast4 confs NOTRACK
	start_all
	some_on_each 0 && wait_for 20 all_know_all && all_in_sync
}

ftfw() {
	stop_all
	TRANSPORT=mcast4 confs FTFW
	start_all
	some_on_each 0 && wait_for 20 all_know_all && wait_for 20 all_in_sync
}

# Every tenth datagram is lost, at each of them another one; what one has acknowledged is kept for the other.
ftfw_loss() {
	lab_loss 10 fw-a fw-b fw-c
	some_on_each 1000 && some_on_each 2000 && flows fw-a delete tcp 1000 50 && flows fw-c delete tcp 22000 50
	wait_for 40 all_know_all || return
	lab_loss 0 fw-a fw-b fw-c
	flows fw-a create udp 0 1 && flows fw-c create udp 20000 1 && wait_for 20 all_know_all && wait_for 20 all_in_sync
}

# One is killed, and is back in a moment.
ftfw_restart() {
	daemon_kill fw-b
	flows fw-a create tcp 3000 50 && flows fw-b create tcp 13000 50 || return
	daemon_start fw-b
	wait_for 30 all_know_all && wait_for 20 all_in_sync
}

# A node of another mode is named, and nobody claims to be in sync with it.
another_mode() {
	daemon_stop fw-c
	sed -i 's/Mode FTFW {/Mode NOTRACK {/; /ResendQueueSize\|ACKWindowSize/d' "$LAB_DIR/fw-c.conf"
	daemon_start fw-c
	wait_for 40 logged fw-a 'the peer 10.99.0.3 seems to run Mode NOTRACK' && wait_for 20 logged fw-c 'seems to run Mode FTFW' &&
		status_of fw-a peer 'not in sync'
}

# Two UDP links that only differ in the peer: the kernel gives the datagrams of both peers to either.
one_local_end() {
	stop_all
	TWO=1 TRANSPORT=udp4 confs FTFW
	sed -i 's/IPv4_Destination_Address 10.99.0.[0-9]/IPv4_Destination_Address 10.99.0.1/' "$LAB_DIR/fw-c.conf"
	start_all
	some_on_each 0 || return
	wait_for 20 eval '[ "$(cache_counter fw-a external)" -ge 200 ]' || { ctl fw-a -s >&2; return 1; }
	! grep 'are refused' "$LAB_DIR/fw-a.log" >&2 && wait_for 20 logged fw-a 'with UDP there is one at a time' &&
		! grep -q 'becomes dedicated link' "$LAB_DIR/fw-a.log"
}

alarm() {
	stop_all
	TRANSPORT=mcast4 confs ALARM
	start_all
	some_on_each 0 && wait_for 40 all_know_all
}

if [ "${1:-}" = debian ]; then
	run_cases notrack alarm
	exit
fi
run_cases notrack ftfw ftfw_loss ftfw_restart another_mode one_local_end
