#!/bin/bash
# files.sh: configurations as generators and people write them (test/golden/examples) start, as they do with 1.4.7; what --check
# says of a file is what the start says.
set -u
. "$(dirname "$0")/common.sh"
examples=$CT_SRC/test/golden/examples
debian=/usr/sbin/conntrackd

lab_open netns-files
lab_node fw-a fw-b
lab_wire fw-a sync0 fw-b sync0
lab_wire fw-a wan0 fw-b wan0
lab_addr fw-a sync0 192.0.2.130/25 2001:db8:9::2/64
lab_addr fw-a wan0 192.0.2.2/25

# placed FILE: its paths are those of the laboratory.
placed() {
	sed -e "s,/run/example,$LAB_DIR/fw-a,; s,\<LogFile on,LogFile $LAB_DIR/fw-a.log," "$1" >"$LAB_DIR/fw-a.conf"
}

# starts PROGRAM: comes up with fw-a.conf, and ends when it is asked.
starts() {
	local rc=0
	local CT_DAEMON=$1
	rm -f "$LAB_DIR"/fw-a.lock "$LAB_DIR"/fw-a.ctl
	in_ns_bg fw-a "$LAB_DIR/fw-a.out" "$1" -C "$LAB_DIR/fw-a.conf"
	DAEMON_PID["fw-a"]=$BG
	wait_for 20 daemon_up fw-a "$BG" || rc=1
	daemon_stop fw-a
	return $rc
}

judged_good() {
	in_ns fw-a "$CT_BIN/conntrackd" --check -C "$LAB_DIR/fw-a.conf" >"$LAB_DIR/check.out" 2>&1 &&
		! grep -q 'does not start' "$LAB_DIR/check.out"
}

# Those whose link is one of ours; the others are of another laboratory, or of a kind that is refused with a word.
ours() {
	grep -l -E '^[[:space:]]*Interface (sync0|lo)' "$examples"/*.conf
}

examples_start() {
	local file rc=0
	[ "$(ours | wc -l)" -ge 14 ] || return
	for file in $(ours); do
		placed "$file"
		judged_good || { echo "$file: --check: $(cat "$LAB_DIR/check.out")" >&2; rc=1; }
		starts "$CT_BIN/conntrackd" || { echo "$file: does not start: $(tail -n 3 "$LAB_DIR/fw-a.out")" >&2; rc=1; }
	done
	return $rc
}

# With a byte order mark it reads nothing, and nobody reaches it; helpers need more of a kernel than it may have here; a group
# without an address needs a route to it.
examples_start_with_debian() {
	local file rc=0
	in_ns fw-a ip route add 225.0.0.0/8 dev sync0
	for file in $(ours | xargs grep -L "^Helper" | grep -v byte-order-mark); do
		placed "$file"
		starts "$debian" || { echo "$file: 1.4.7 does not start: $(tail -n 3 "$LAB_DIR/fw-a.out")" >&2; rc=1; }
	done
	return $rc
}

# refused STATEMENTS: the start ends with what --check said, and nothing is left behind.
refused() {
	local at_start rc
	printf '%b' "General { LockFile $LAB_DIR/fw-a.lock UNIX { Path $LAB_DIR/fw-a.ctl } }\n$1\n" >"$LAB_DIR/fw-a.conf"
	rm -f "$LAB_DIR"/fw-a.lock "$LAB_DIR"/fw-a.ctl
	judged_good && return 1
	at_start=$(in_ns fw-a timeout 20 "$CT_BIN/conntrackd" -C "$LAB_DIR/fw-a.conf" 2>&1)
	rc=$?
	[ $rc -eq 1 ] && [ ! -e "$LAB_DIR/fw-a.ctl" ] || { echo "$1: status $rc: $at_start" >&2; return 1; }
	# the level may differ: what only this version does not do is a warning of --check
	[ "$(sed 's/.*\[[a-zA-Z]*\] //' "$LAB_DIR/check.out" | tail -n 1)" = "$(sed 's/.*\[[a-zA-Z]*\] //' <<<"$at_start" | tail -n 1)" ] ||
		{ echo "$1: --check: $(cat "$LAB_DIR/check.out"), start: $at_start" >&2; return 1; }
}

wrong_files_are_refused_alike() {
	local end='Port 3780 Interface sync0'
	refused "Sync { Mode FTFW { } UDP { IPv4_address 192.0.2.130 $end } }" &&
		refused "Sync { Mode FTFW { } UDP { IPv4_Destination_Address 192.0.2.131 Port 3780 } }" &&
		refused "Sync { Mode FTFW { } UDP { IPv4_Destination_Address 192.0.2.131 Group 3780 Interface sync0 } }" &&
		refused "Sync { Mode FTFW { } Multicast { IPv4_address 192.0.2.131 Group 3780 Interface sync0 } }" &&
		refused "Sync { Mode FTFW { } TCP { IPv4_address 192.0.2.130 IPv4_Destination_Address 192.0.2.131 $end } }" &&
		refused 'Sync { Mode FTFW { }' &&
		refused 'Sync { }' &&
		refused 'General { HashSize on }' &&
		refused '\0\0\0' &&
		refused 'root:x:0:0:root:/root:/bin/bash'
}

# The rules that the sample has as a comment.
sample_rules() {
	sed -n '/^\t#\ttable inet/,/^\t#\t}$/{ s/^\t#//; s/"eth2"/"link0"/; p }' "$CT_SRC/conf/ftfw.conf"
}

# by_nobody PORT: a datagram of a user without rights.
by_nobody() {
	in_ns fw-a setpriv --reuid=65534 --regid=65534 --clear-groups bash -c "echo >/dev/udp/10.99.0.2/$1" 2>/dev/null
}

sample_rules_are_for_the_daemon_alone() {
	local fw rc=0
	unset 'DAEMON_PID["fw-a"]'
	lab_link fw-a fw-b
	for fw in fw-a fw-b; do
		daemon_conf $fw x
		[ "$(sample_rules | wc -l)" -ge 8 ] && in_ns $fw nft -f - < <(sample_rules) || return
	done
	pair_start && some_of_each fw-a && replicated_or_show fw-a fw-b || rc=1
	by_nobody 3799 && ! by_nobody 3780 || rc=1
	daemon_stop fw-a
	daemon_stop fw-b
	return $rc
}

cases="sample_rules_are_for_the_daemon_alone examples_start wrong_files_are_refused_alike"
if "$debian" -v 2>/dev/null | grep -q 'v1\.4\.'; then cases+=" examples_start_with_debian"; fi
run_cases $cases
