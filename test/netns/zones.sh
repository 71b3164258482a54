#!/bin/bash
# zones.sh: flows with a zone for one direction only, which version 1 of the protocol cannot describe: each is kept apart from the
# others here, none reaches the peer as something else, and the log says so. Flows with a zone for both directions are replicated.
set -u
. "$(dirname "$0")/common.sh"
pair_open zones

# one_way NODE N OPTION…: a flow that differs from the others like it in its zone and its translated source.
one_way() {
	local node=$1 n=$2
	shift 2
	in_ns "$node" "$CONNTRACK" -I -p udp -s 10.5.0.1 -d 10.6.0.1 --sport 1000 --dport 53 -t 600 -u SEEN_REPLY \
		-r 10.6.0.1 -q "10.7.0.$n" --reply-port-src 53 --reply-port-dst 1000 "$@" >/dev/null 2>&1
}

cache_is_kernel_exactly() {
	[ "$(flows_kernel "$1")" = "$(ctl "$1" -i | without_link | canon)" ]
}

cache_is_kernel_exactly_or_show() {
	wait_for 20 cache_is_kernel_exactly "$1" && return
	diff <(flows_kernel "$1") <(ctl "$1" -i | without_link | canon) >&2
	return 1
}

both_directions_replicate() {
	pair_start
	some_of_each fw-a && replicated_or_show fw-a fw-b
}

# The same tuple three times.
each_is_kept() {
	one_way fw-a 3 --orig-zone 3 && one_way fw-a 4 --orig-zone 4 && one_way fw-a 5 -w 5 || return
	[ "$(flows_kernel fw-a | grep -c 'src=10.5.0.1.*zone')" = 3 ] && cache_is_kernel_exactly_or_show fw-a
}

# only_zone_5: of the three the peer knows the one that it can be told.
only_zone_5() {
	[ "$(flows_cache fw-b -e | grep 'src=10.5.0.1')" = "$(flows_kernel fw-a | grep 'zone=5' | canon_external)" ]
}

peer_is_not_misled() {
	wait_for 20 only_zone_5 && unsent || return
	ctl fw-a -B && flows fw-a create udp 900 1 && wait_for 20 knows_900 && only_zone_5 || return
	ctl fw-b -n && flows fw-a create udp 901 1 && wait_for 20 knows_900 && only_zone_5 || return
	grep -q 'zone for one direction only, keys of GRE, .* stay here: ' "$LAB_DIR/fw-a.log"
}

unsent() {
	[ "$(ctl fw-a -s network | awk '/send:/ { on = 1 } on && /Malformed messages/ { print $NF }')" -ge 2 ]
}

knows_900() {
	[ "$(flows_cache fw-b -e | wc -l)" = "$(($(flows_kernel fw-a | wc -l) - 2))" ]
}

restart_finds_them() {
	daemon_stop fw-a && daemon_start fw-a && cache_is_kernel_exactly_or_show fw-a && only_zone_5
}

# Deleting one leaves the others, in both caches.
deletion_hits_the_right_one() {
	in_ns fw-a "$CONNTRACK" -D -p udp --orig-zone 3 -s 10.5.0.1 -d 10.6.0.1 >/dev/null 2>&1
	[ "$(flows_kernel fw-a | grep -c 'src=10.5.0.1')" = 2 ] || return
	cache_is_kernel_exactly_or_show fw-a && only_zone_5
}

# With a filter the kernel's flows are deleted one by one: those with such a zone, too.
flush_with_a_filter() {
	daemon_stop fw-a
	daemon_conf fw-a x FTFW '' 'Filter From Userspace { Protocol Ignore { TCP } }'
	daemon_start fw-a
	one_way fw-a 3 --orig-zone 3 || return
	ctl fw-a -F && [ "$(flows_kernel fw-a | grep -c 'src=10.5.0.1')" = 0 ] && [ "$(flows_kernel fw-a | grep -c '^tcp')" -gt 0 ]
}

# Tunnels between two hosts, told apart by keys that the protocol does not carry: none arrives as a flow without keys.
keys_stay_home() {
	local before
	before=$(ctl fw-a -s network | awk '/send:/ { on = 1 } on && /Malformed messages/ { print $NF }')
	flows fw-a create pptp 0 3 && flows fw-a create udp 990 1 && replicated_udp_990 || return
	[ "$(flows_kernel fw-a | grep -c '^gre')" = 6 ] && [ "$(flows_cache fw-b -e | grep -c '^gre')" = 3 ] &&
		[ "$(ctl fw-a -s network | awk '/send:/ { on = 1 } on && /Malformed messages/ { print $NF }')" = $((before + 3)) ] &&
		flows fw-a delete pptp 0 3 && cache_is_kernel_exactly_or_show fw-a
}

replicated_udp_990() {
	wait_for 20 eval 'flows_cache fw-b -e | grep -q "sport=2014"'
}

run_cases both_directions_replicate keys_stay_home each_is_kept peer_is_not_misled restart_finds_them deletion_hits_the_right_one flush_with_a_filter
