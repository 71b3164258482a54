#!/bin/bash
# pair.sh SENDER RECEIVER TRANSPORT: fw-a runs SENDER, fw-b RECEIVER (ours or debian), FT-FW over TRANSPORT (udp4, udp6, tcp4,
# mcast4). What fw-a's kernel has must stand in fw-b, whoever wrote the two daemons, also after restarts and over a bad link.
set -u
. "${CT_SRC:-$(dirname "$0")/../..}/test/lib/netns.sh"
lab_daemons "$1" "$2"
TRANSPORT=$3
lab_open "interop-$1-$2-$3"
lab_node fw-a fw-b
lab_link fw-a fw-b
for fw in fw-a fw-b; do
	daemon_conf $fw x FTFW
	daemon_start $fw
done

# flows VERB KIND FIRST N [options of ctblast]
flows() {
	local verb=$1 kind=$2 first=$3 n=$4
	shift 4
	in_ns fw-a "$CTBLAST" "$verb" -k "$kind" -f "$first" -n "$n" "$@" >/dev/null
}

every_kind_arrives() {
	local k
	for k in tcp udp icmp sctp gre unknown tcp6 udp6 icmp6 nat natudp; do
		flows create "$k" 0 5 || return
	done
	flows create tcp 100 5 -m 77 && flows create udp 200 5 -z 3 && replicated_or_show fw-a fw-b
}

updates_arrive() {
	flows update tcp 0 5 -m 42 && flows update tcp6 0 2 -s 4 && replicated_or_show fw-a fw-b
}

deletes_arrive() {
	flows delete tcp 100 3 && flows delete icmp 0 2 && flows delete udp 200 2 -z 3 && replicated_or_show fw-a fw-b
}

commit_makes_the_kernels_equal() {
	ctl fw-b -c
	wait_for 20 same_kernels || { diff <(flows_kernel fw-a) <(flows_kernel fw-b) | head -n 20 >&2; return 1; }
}

same_kernels() {
	[ "$(flows_kernel fw-a)" = "$(flows_kernel fw-b)" ]
}

# The receiver loses its memory and its kernel table, and asks for everything.
receiver_restarts() {
	daemon_stop fw-b
	in_ns fw-b "$CONNTRACK" -F 2>/dev/null
	daemon_start fw-b
	ctl fw-b -n
	replicated_or_show fw-a fw-b
}

receiver_is_killed() {
	daemon_kill fw-b
	flows create udp 300 5 || return
	daemon_start fw-b
	ctl fw-b -n
	replicated_or_show fw-a fw-b
}

# The sender comes back with the flows that its kernel kept.
sender_restarts() {
	daemon_kill fw-a
	flows create udp 400 5 || return
	daemon_start fw-a
	ctl fw-a -B
	replicated_or_show fw-a fw-b
}

sender_goes_on() {
	flows create natudp 500 20 && flows delete udp 300 5 && replicated_or_show fw-a fw-b
}

# Every twentieth datagram to the receiver is lost. (A request to resend that gets lost is final in version 1, so that
# direction is good here.)
bad_link() {
	lab_loss 5 fw-b
	flows create tcp 10000 3000 -r 3000 && flows update tcp 10000 3000 -r 3000 -m 9 &&
		flows delete tcp 10000 1500 -r 3000 || return
	lab_chatter
	replicated_or_show fw-a fw-b 60 || return
	lab_loss 0 fw-b
}

# A lost datagram is noticed when the next one arrives.
lab_chatter() {
	local i
	for i in 1 2 3 4 5 6; do
		flows create udp $((20000 + i)) 1
		sleep 0.3
	done
}

# Nothing may arrive in between, such as the answer to what fw-b asked of its own accord after a restart of fw-a.
flush_is_for_the_cache() {
	lab_loss 100 fw-b || return
	ctl fw-b -f external
	[ -z "$(flows_cache fw-b -e)" ] || return
	lab_loss 0 fw-b
	ctl fw-b -n
	replicated_or_show fw-a fw-b
}

run_cases every_kind_arrives updates_arrive deletes_arrive commit_makes_the_kernels_equal receiver_restarts \
	receiver_is_killed sender_restarts sender_goes_on bad_link flush_is_for_the_cache
