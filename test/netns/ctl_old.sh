#!/bin/bash
# ctl_old.sh: during an upgrade our programs are there and Debian's conntrackd 1.4.7 still runs: the old client options do
# with it what its own client does, "stop" ends it, and every other verb says what is there.
set -u
. "$(dirname "$0")/common.sh"
lab_daemons debian debian
pair_open old

# new NODE words: our client in the classic words
new() {
	in_ns "$1" timeout 60 "$CT_BIN/conntrackd" -C "$LAB_DIR/$1.conf" "${@:2}"
}

both_run() {
	pair_start
	some_of_each fw-a && wait_for 20 external_has_some
}

external_has_some() {
	[ "$(ctl fw-b -e | wc -l)" -ge 30 ]
}

# What changes between two calls: ages, and counters.
steady() {
	sed -E 's/\[active since [0-9]+s\]/[active since Ns]/; /src=|<flow/!s/[0-9]+/N/g; s/ +/ /g' | sort
}

looks_are_the_same() {
	local o
	for o in -s '-s ct' '-s expect' '-s network' '-s cache' '-s link' '-s queue' '-s rsqueue' '-s runtime' '-s process' -i \
		'-i ct' '-i expect' '-i -x' '-i expect -x' -e '-e ct' '-e expect' '-e -x' '-e expect -x'; do
		new fw-b $o >"$LAB_DIR/new" 2>"$LAB_DIR/err" || { echo "status $?: $o" >&2; cat "$LAB_DIR/err" >&2; return 1; }
		[ ! -s "$LAB_DIR/err" ] || { echo "$o says:" >&2; cat "$LAB_DIR/err" >&2; return 1; }
		diff <(steady <"$LAB_DIR/new") <(ctl fw-b $o | steady) >&2 || { echo "not the same: $o" >&2; return 1; }
	done
	[ "$(new fw-b -e | wc -l)" -ge 30 ]
}

# Each ends with 0, without a word, when the old daemon has done it: its log says so.
acts_are_done() {
	local o
	for o in '-c ct' -c '-c expect' -f '-f internal' '-f external' -R '-R ct' '-R expect' -B -n -t -F '-F ct' '-F expect'; do
		new fw-b $o >"$LAB_DIR/new" 2>&1 || { echo "status $?: $o" >&2; return 1; }
		[ ! -s "$LAB_DIR/new" ] || { echo "$o says:" >&2; cat "$LAB_DIR/new" >&2; return 1; }
	done
	for o in 'committing conntrack cache' 'committing all external caches' 'committing expectation cache' 'flushing caches' \
		'flushing internal cache' 'flushing external cache' 'resync with master conntrack table' 'resync with master expect table' \
		'sending bulk update' 'resync requested' 'flushing conntrack table in' 'flushing kernel conntrack table' \
		'flushing kernel expect table'; do
		wait_for 10 grep -q "$o" "$LAB_DIR/fw-b.log" || { echo "not in the log: $o" >&2; return 1; }
	done
}

verbs_say_what_is_there() {
	local words rc
	for words in status stats 'stats rsqueue' 'stats all' 'dump internal' 'dump external --json' commit 'flush internal' \
		'flush kernel' 'resync kernel' 'resync peers' send purge 'role primary' 'role backup' 'status --json'; do
		own fw-b $words >"$LAB_DIR/out" 2>"$LAB_DIR/err"
		rc=$?
		[ $rc -eq 1 ] && grep -q '^conntrackctl: .*conntrack-tools' "$LAB_DIR/err" && continue
		echo "status $rc: $words" >&2
		cat "$LAB_DIR/err" >&2
		return 1
	done
	own fw-b --json commit 2>/dev/null | jq -e '.result == "failed" and (.error | test("conntrack-tools"))' >/dev/null && daemon_up fw-b "${DAEMON_PID[fw-b]}" >/dev/null
}

lock_is_gone() {
	[ ! -e "$LAB_DIR/fw-b.lock" ] && [ ! -e "$LAB_DIR/fw-b.sock" ]
}

# ended cmd …: it ends with 0 and without a word, and then the daemon, its lock and its socket are gone.
ended() {
	"$@" >"$LAB_DIR/new" 2>&1 || { echo "status $?: $*" >&2; cat "$LAB_DIR/new" >&2; return 1; }
	lock_is_gone || { echo "still there after: $*" >&2; return 1; }
	[ ! -s "$LAB_DIR/new" ] && wait_for 10 gone "${DAEMON_PID[fw-b]}"
}

# As a daemon, too: then the process that listened first is none that runs.
stop_ends_it() {
	local p
	ended own fw-b stop && daemon_start fw-b && ended new fw-b -k || return
	ctl fw-b -d || return
	p=$(in_ns fw-b pgrep -f "conntrackd -C $LAB_DIR/fw-b.conf -d") && DAEMON_PID[fw-b]=$p && ended own fw-b stop || return
	ctl fw-b -d || return
	p=$(in_ns fw-b pgrep -f "conntrackd -C $LAB_DIR/fw-b.conf -d") && DAEMON_PID[fw-b]=$p && ended new fw-b -k || return
	new fw-b -k 2>"$LAB_DIR/err"
	[ $? -eq 1 ] && grep -q "can't connect: is conntrackd running?" "$LAB_DIR/err"
}

# Frozen, it cannot end: that is said, and no success.
frozen_is_said() {
	local rc
	daemon_start fw-b
	kill -STOP "${DAEMON_PID[fw-b]}"
	own fw-b --timeout 1 stop 2>"$LAB_DIR/err"
	rc=$?
	kill -CONT "${DAEMON_PID[fw-b]}"
	[ $rc -eq 1 ] && grep -q 'in time' "$LAB_DIR/err"
}

# Debian's client and our daemon, after a step back: nothing is done, and it does not take the message for an answer.
old_client_is_told() {
	local rc
	CT_DAEMON_fw_a=$CT_BIN/conntrackd
	daemon_stop fw-a
	rm -f "$LAB_DIR/fw-a.lock"
	daemon_start fw-a
	in_ns fw-a timeout 60 /usr/sbin/conntrackd -C "$LAB_DIR/fw-a.conf" -s >"$LAB_DIR/out" 2>&1
	rc=$?
	[ $rc -eq 0 ] && grep -q OpenConntrack "$LAB_DIR/out" && alive fw-a && return
	echo "status $rc" >&2
	cat "$LAB_DIR/out" >&2
	return 1
}

run_cases both_run looks_are_the_same verbs_say_what_is_there acts_are_done stop_ends_it frozen_is_said old_client_is_told
