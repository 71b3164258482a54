#!/bin/bash
# local_user.sh: a user without rights on either firewall neither takes the link's input away nor speaks for the daemon.
set -u
. "$(dirname "$0")/common.sh"
pair_open local_user

stranger() {
	local node=$1
	shift
	in_ns "$node" setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 "$CT_SRC/test/netns/stranger.py" "$@"
}

logged() {
	grep -q "$2" "$LAB_DIR/$1.log" || { cat "$LAB_DIR/$1.log" >&2; return 1; }
}

refused_on() {
	own "$1" status | tee -a "$LAB_DIR/status.out" | grep -q "$2"
}

foreign() {
	own "$1" stats link --json | tr -d ' \n' | sed 's/.*"foreign":\([0-9]*\).*/\1/'
}

# A socket that is not ours can be had on that port only on another address.
port_is_ours() {
	local address
	stranger fw-a take 4 127.0.0.1 3780 || return # the stranger is able to
	pair_start && some_of_each fw-a && replicated_or_show fw-a fw-b || return
	for address in 10.99.0.2 0.0.0.0; do
		! stranger fw-b take 4 $address 3780 link0 && ! stranger fw-b take 4 $address 3780 || return
	done
	! stranger fw-b take 6 :: 3780
}

# The peer speaks from the link's port: who sends from another one is not the daemon.
port_of_the_peer() {
	local before
	before=$(foreign fw-b)
	for i in 1 2 3; do
		stranger fw-a say 10.99.0.1 10.99.0.2 3780
	done
	[ "$(foreign fw-b)" = $((before + 3)) ] || { own fw-b stats link --json >&2; return 1; }
	while ! logged fw-b 'datagrams from 10.99.0.1 port [0-9]* on link0 are refused: the peer sends from port 3780' 2>/dev/null; do
		[ $((tries = ${tries:-0} + 1)) -lt 30 ] || return
		stranger fw-a say 10.99.0.1 10.99.0.2 3780
		sleep 0.5
	done
	refused_on fw-b 10.99.0.1 && flows fw-a create udp 900 5 && replicated_or_show fw-a fw-b
}

restart_at_once() {
	daemon_stop fw-b && daemon_start fw-b && daemon_kill fw-b && daemon_start fw-b && replicated_or_show fw-a fw-b
}

# The port was taken first: the start says so, and by whom that is told.
port_is_taken() {
	local holder
	daemon_stop fw-b
	in_ns_bg fw-b "$LAB_DIR/holder.out" setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 "$CT_SRC/test/netns/stranger.py" hold 0.0.0.0 3780
	holder=$BG
	wait_for 10 grep -q 'has it' "$LAB_DIR/holder.out" || return
	in_ns fw-b timeout 20 "$(daemon_of fw-b)" -C "$LAB_DIR/fw-b.conf" >"$LAB_DIR/start.out" 2>&1
	[ $? = 1 ] && logged fw-b "can't open channel socket: Address already in use (link 1, link0, 10.99.0.2 port 3780): user 65534 has UDP port 3780" || return
	kill "$holder" && wait_for 10 gone "$holder" && daemon_start fw-b && replicated_or_show fw-a fw-b
}

group_port_is_ours() {
	local fw
	daemon_stop fw-a && daemon_stop fw-b
	for fw in fw-a fw-b; do
		TRANSPORT=mcast4 daemon_conf $fw x FTFW
	done
	pair_start && flows fw-a create udp 950 5 && replicated_or_show fw-a fw-b || return
	! stranger fw-b take 4 225.0.0.50 3780 link0 && ! stranger fw-b take 4 0.0.0.0 3780 && ! stranger fw-b take 4 10.99.0.2 3780
}

run_cases port_is_ours port_of_the_peer restart_at_once port_is_taken group_port_is_ours
