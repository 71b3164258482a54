#!/bin/bash
# ctl_beside.sh: our daemon on one firewall, Debian's conntrackd 1.4.7 on the other, the same flows in both kernels: what
# the old client options print is the same text, ages and numbers of the run left out.
set -u
. "$(dirname "$0")/common.sh"
lab_daemons ours debian
pair_open beside

# Ages, conntrack ids and the link's own flows differ between two machines.
text() {
	grep -v -e 'dport=3780' -e 'src=fe80' -e '<dport>3780' -e '<src>fe80' |
		sed -E 's/\[active since [0-9]+s\]/[active since Ns]/; s/\[expires in [0-9]+s\]/[expires in Ns]/; s/<id>[0-9]+/<id>N/' | sort
}

# Version 1 of the protocol carries no GRE keys; 1.4.7 shows zeros for them, and takes SCTP states for TCP states in XML.
mend() {
	sed -E 's/(src|dst)key=0x[0-9a-f]+/\1key=K/g; s/<(src|dst)key>0x[0-9a-f]+/<\1key>K/g
		/protoname="sctp"/s/<state>[A-Z_]+/<state>S/'
}

same() {
	local words=$*
	diff <(ctl fw-a $words 2>/dev/null | text | mend) <(ctl fw-b $words 2>/dev/null | text | mend) >"$LAB_DIR/diff" && return
	echo "conntrackd $words: ours <, 1.4.7 >" >&2
	head -n 10 "$LAB_DIR/diff" >&2
	return 1
}

# Labels and spacing; numbers as N, and as many blanks as the column leaves as one.
shape() {
	sed -E 's/[0-9]+/N/g; s/ +/ /g; s/(since|uptime:) .*/\1/'
}

same_shape() {
	diff <(ctl fw-a "$@" 2>/dev/null | shape) <(ctl fw-b "$@" 2>/dev/null | shape) >"$LAB_DIR/diff" && return
	echo "conntrackd $*: ours <, 1.4.7 >" >&2
	head -n 10 "$LAB_DIR/diff" >&2
	return 1
}

start_both() {
	local fw
	for fw in fw-a fw-b; do
		some_of_each $fw
	done
	pair_start
	wait_for 20 external_is fw-a 39 && wait_for 20 external_is fw-b 39
}

internal_cache() {
	[ "$(ctl fw-a -i | wc -l)" -ge 39 ] && same -i && same -i ct && same -i -x
}

external_cache() {
	[ "$(ctl fw-a -e | wc -l)" -ge 39 ] && same -e && same -e -x
}

statistics() {
	local w rc=0
	for w in '' network cache link queue expect ct runtime; do
		same_shape -s $w || rc=1
	done
	return $rc
}

# The other modes have other blocks: replace both daemons by such ones, with the same flows in the kernels.
as_mode() {
	local fw
	for fw in fw-a fw-b; do
		daemon_stop $fw
		rm -f "$LAB_DIR/$fw.lock" "$LAB_DIR/$fw.log"
		daemon_conf $fw x "$@"
	done
	pair_start
}

alarm_mode() {
	as_mode ALARM 'RefreshTime 5 CacheTimeout 100' && wait_for 30 external_is fw-a 39 && wait_for 30 external_is fw-b 39 || return
	ctl fw-a -e | grep -q ' \[expires in [0-9]*s\] \[active since [0-9]*s\]$' || return
	same -i && same -e && same -e -x && statistics
}

notrack_mode() {
	as_mode NOTRACK 'StartupResync on' && wait_for 30 external_is fw-a 39 && wait_for 30 external_is fw-b 39 || return
	same -i && same -e && statistics
}

# Then -i lists the kernel's table: with what is left of timeouts, without ages, and -x changes nothing.
lists_the_kernel() {
	local words
	[ "$(ctl "$1" -i 2>/dev/null | grep -c '^tcp  *6 [0-9]* [A-Z]')" -ge 3 ] || return
	for words in '-i' '-i -x'; do
		diff <(flows_kernel "$1") <(ctl "$1" $words 2>/dev/null | without_link | canon) >"$LAB_DIR/diff" && continue
		echo "kernel <, conntrackd $words of $1 >" >&2
		cat "$LAB_DIR/diff" >&2
		return 1
	done
}

without_caches() {
	fill 0
	as_mode NOTRACK 'DisableInternalCache on DisableExternalCache on StartupResync on' && statistics && same -e && same -i expect &&
		same -e -x && wait_for 20 written_over fw-a && wait_for 20 written_over fw-b && lists_the_kernel fw-b && lists_the_kernel fw-a
}

# The other node's flows were written over those that stood there: translated ones still are.
written_over() {
	[ "$(flows_kernel "$1" | grep -c '^gre')" = 3 ] && [ "$(flows_kernel "$1" | wc -l)" = 39 ] &&
		[ "$(flows_kernel "$1" | grep -c ' dst=203.0.113.0 ')" = 6 ]
}

multicast_link() {
	local TRANSPORT=mcast4
	as_mode FTFW && wait_for 30 external_is fw-a 39 && wait_for 30 external_is fw-b 39 && statistics &&
		ctl fw-a -s link | grep -q '^multicast traffic device=link0 status=RUNNING role=ACTIVE:$'
}

# fill NUMBER: the same flows in both kernels, and nothing else.
fill() {
	local fw
	for fw in fw-a fw-b; do
		clear_kernel $fw
		silently $fw some_of_each $fw "$1"
	done
}

caches_are_same() {
	[ -n "$(ctl fw-a -i)" ] && same -i
}

# A filter lets the same flows through, of the kernel's table, of its events, and of what -F deletes. A list that accepts only
# IPv4 addresses drops all of IPv6, one of states concerns TCP alone.
filters() {
	local rule
	while read -r rule; do
		fill 0
		as_mode FTFW '' "Filter From Userspace { $rule }"
		wait_for 20 caches_are_same && [ "$(ctl fw-a -i | wc -l)" -lt 39 ] || { same -i; echo "table: $rule" >&2; return 1; }
		some_of_each fw-a 100 && some_of_each fw-b 100 && flows fw-a create tcp 2000 3 -s 7 && flows fw-b create tcp 2000 3 -s 7
		wait_for 20 caches_are_same || { same -i; echo "events: $rule" >&2; return 1; }
		ctl fw-a -F && ctl fw-b -F && wait_for 20 same_kernels_but_none || { echo "-F: $rule" >&2; return 1; }
	done <<-RULES
		Protocol Accept { TCP SCTP }
		Protocol Ignore { UDP ICMP ipv6-icmp }
		Address Ignore { IPv4_address 10.0.0.0/16 IPv6_address fd10::/16 }
		Address Ignore { IPv4_address 10.0.0.1 IPv4_address 11.0.0.0/31 IPv6_address fd10::a00:2 }
		Address Accept { IPv4_address 10.0.0.0/8 }
		Address Accept { IPv4_address 11.0.0.0/8 IPv6_address fd10::a00:1 IPv6_address ::/96 }
		Protocol Accept { TCP UDP } State Accept { TIME_WAIT CLOSE for TCP }
	RULES
}

same_kernels_but_none() {
	[ -n "$(flows_kernel fw-a)" ] && [ "$(ctl fw-a -i | wc -l)" = 0 ] && same_kernels
}

# What stands in a node's log: each text once, N for numbers.
lines() {
	sed -E 's/^\[[^]]*\] \(pid=[0-9]+\) //; s/[0-9]+/N/g' "$LAB_DIR/$1.log" | sort -u
}

was_asked() {
	grep -q 'resync requested by other node' "$LAB_DIR/$1.log"
}

# said MODE [OPTIONS [GENERAL]]: every request; afterwards both logs have the same texts.
said() {
	local fw o
	as_mode "$@" && wait_for 20 external_is fw-a 39 && wait_for 20 external_is fw-b 39 || return
	for o in -c '-c ct' '-c expect' -f '-f internal' '-f external' -R '-R ct' '-R expect' -B -n -t -F '-F ct' '-F expect'; do
		ctl fw-a $o >/dev/null && ctl fw-b $o >/dev/null || return
	done
	wait_for 20 was_asked fw-a && wait_for 20 was_asked fw-b && daemon_stop fw-a && daemon_stop fw-b || return
	[ "$(lines fw-a | wc -l)" -gt 20 ] && diff <(lines fw-a) <(lines fw-b) >&2
}

texts_of_the_log() {
	fill 0 && said FTFW 'StartupResync on' 'NetlinkEventsReliable on Filter From Userspace { Protocol Ignore { vrrp } }' || return
	fill 0 && said NOTRACK 'StartupResync on' 'NetlinkBufferSize 70000000'
}

# The same arguments end with the same status; 1.4.9 (ours) says 1 where 1.4.7 shows its help and says 0.
statuses() {
	local line words want a b
	while IFS=: read -r words want; do
		ctl fw-a $words >/dev/null 2>&1
		a=$?
		ctl fw-b $words >/dev/null 2>&1
		b=$?
		[ $a -eq "${want:-$b}" ] || { echo "conntrackd $words: $a, 1.4.7: $b" >&2; return 1; }
	done <<-ROWS
		-s
		-s m
		-s nonsense
		-f nonsense
		-i e
		-i -x
		-x -i
		-i -x -x
		-c -d
		-e -x -s
		-F internal
		-v
		-h
		-Z:1
		-c nonsense:1
		-S:1
		-R
		-f
		-f internal
		-B
		-n
		-c
		-t
		-k
		-s
		-k
	ROWS
}

run_cases start_both internal_cache external_cache statistics alarm_mode notrack_mode without_caches multicast_link statuses filters texts_of_the_log
