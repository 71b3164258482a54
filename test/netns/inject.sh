#!/bin/bash
# inject.sh: DisableExternalCache: what the peer says is written into the kernel. The entries are the active firewall's: they are
# replaced as they were, translation included, and neither their end on the backup nor its restart touches the live ones.
set -u
. "$(dirname "$0")/common.sh"
pair_open inject "DisableExternalCache On"

# Entries whose keys the protocol carries whole.
some_flows() {
	local k
	for k in tcp udp icmp sctp tcp6 udp6 icmp6 nat natudp; do
		flows fw-a create $k 0 3 || return
	done
	same_kernels_or_show
}

# marker FROM TO N: a new flow has come to the other firewall, and with it everything that was said before.
marker() {
	flows "$1" create udp "$3" 1 -m "$3" && wait_for 20 has_mark "$2" "$3" && flows "$1" delete udp "$3" 1 &&
		wait_for 20 has_no_mark "$2" "$3"
}

has_mark() {
	in_ns "$1" "$CONNTRACK" -L -m "$2" 2>/dev/null | grep -q .
}

has_no_mark() {
	! has_mark "$@"
}

# written NODE: entries that peers had it create.
written() {
	ctl "$1" -s | awk '/^external inject/ { on = 1 } on && /created/ { print $3; exit }'
}

replaced_as_they_were() {
	local before
	pair_start
	some_flows || return
	before=$(written fw-b)
	ctl fw-a -B && marker fw-a fw-b 5001 || return
	[ "$(written fw-b)" -gt $((before + 20)) ] && same_kernels_or_show
}

not_in_the_internal_cache() {
	[ "$(cache_counter fw-b internal)" = 0 ] && cache_is_kernel_or_show fw-a
}

# Ends of entries in fw-a's kernel, whoever ended them.
watch() {
	in_ns_bg fw-a "$LAB_DIR/ends" "$CONNTRACK" -E -e DESTROY
	wait_for 20 watching
}

watching() {
	flows fw-a create icmp 900 1 && flows fw-a delete icmp 900 1 && grep -qa . "$LAB_DIR/ends"
}

nothing_ended() {
	! grep -av -e 'id=900' -e 'mark=500' "$LAB_DIR/ends" >&2
}

knows_more_than_20() {
	[ "$(cache_counter fw-b internal)" -gt 20 ]
}

restart_of_the_backup() {
	daemon_stop fw-b
	watch || return
	daemon_start fw-b
	wait_for 20 knows_more_than_20 || return
	ctl fw-b -B && marker fw-b fw-a 5002 && nothing_ended && same_kernels_or_show
}

# On fw-a packets keep the flow; on fw-b there are none.
end_on_the_backup() {
	local n
	for n in fw-a fw-b; do
		in_ns $n sysctl -qw net.netfilter.nf_conntrack_udp_timeout=3 net.netfilter.nf_conntrack_udp_timeout_stream=3
	done
	in_ns fw-a ip addr add 10.50.0.1/32 dev lo
	in_ns fw-a nft 'table inet track { chain out { type filter hook output priority 0; ip saddr 10.50.0.1 ct state new accept; }; }'
	in_ns_bg fw-a "$LAB_DIR/chat.out" python3 "$CT_SRC/test/netns/chat.py" 10.50.0.1
	CHAT=$BG
	wait_for 20 talks fw-b && wait_for 20 is_silent fw-b && marker fw-b fw-a 5003 && nothing_ended && talks fw-a
}

talks() {
	flows_kernel "$1" | grep -q 'src=10.50.0.1'
}

is_silent() {
	! talks "$1"
}

# The other way round: fw-b takes over, and all that it has comes back to fw-a.
take_over_and_return() {
	local before
	kill "$CHAT" && wait_for 20 is_silent fw-a || return
	before=$(flows_kernel fw-a)
	daemon_stop fw-a
	clear_kernel fw-a
	ctl fw-b -f && ctl fw-b -R && ctl fw-b -B || return
	daemon_start fw-a
	same_kernels_or_show && [ "$(flows_kernel fw-a)" = "$before" ]
}

run_cases replaced_as_they_were not_in_the_internal_cache restart_of_the_backup end_on_the_backup take_over_and_return
