#!/bin/bash
# service.sh: life as a service: signals, lock, log, and clients of the control socket that misbehave.
set -u
. "$(dirname "$0")/common.sh"
pair_open service

sigterm_is_clean() {
	local list rc
	pair_start
	list=$(tree "${DAEMON_PID[fw-a]}")
	kill -TERM "${DAEMON_PID[fw-a]}"
	wait "${DAEMON_PID[fw-a]}"
	rc=$?
	[ $rc -eq 0 ] || { echo "status $rc after SIGTERM" >&2; return 1; }
	wait_for 10 gone $list && nobody_answers
}

nobody_answers() {
	ctl fw-a -s >/dev/null 2>&1
	[ $? -eq 1 ] && no_files
}

# What Pacemaker, init scripts and packages look at.
no_files() {
	[ ! -e "$LAB_DIR/fw-a.sock" ] && [ ! -e "$LAB_DIR/fw-a.lock" ]
}

stop_request_is_clean() {
	local list rc
	daemon_start fw-a
	list=$(tree "${DAEMON_PID[fw-a]}")
	ctl fw-a -k && no_files || return
	wait "${DAEMON_PID[fw-a]}"
	rc=$?
	[ $rc -eq 0 ] && wait_for 10 gone $list || return
	daemon_start fw-a
	kill -KILL "${DAEMON_PID[fw-a]}"
	wait_for 10 no_files
}

# Once more and again, without a pause.
restarts_work() {
	local i
	for ((i = 0; i < 10; i++)); do
		in_ns fw-a timeout 20 "$CT_BIN/conntrackd" -C "$LAB_DIR/fw-a.conf" -d && alive_by_answer && ctl fw-a -k && no_files || return
	done
}

alive_by_answer() {
	ctl fw-a -s runtime >/dev/null
}

# Two daemons with one lock: the second says so and leaves, the first does not notice.
second_start_is_refused() {
	local rc
	daemon_start fw-a
	in_ns fw-a timeout 20 "$CT_BIN/conntrackd" -C "$LAB_DIR/fw-a.conf" >>"$LAB_DIR/second.out" 2>&1
	rc=$?
	[ $rc -eq 1 ] && alive fw-a
}

# Once, in the log, is said what has no effect.
later_keywords_are_logged() {
	local rc
	daemon_stop fw-a
	cp "$LAB_DIR/fw-a.conf" "$LAB_DIR/plain.conf"
	daemon_conf fw-a x FTFW '' 'Filter From Kernelspace { Protocol Ignore { vrrp } }'
	echo 'Helper { Type ftp inet tcp { QueueNum 3 } }' >>"$LAB_DIR/fw-a.conf"
	rm "$LAB_DIR/fw-a.log"
	daemon_start fw-a
	wait_for 10 grep -q 'From Kernelspace.* is read but not acted upon' "$LAB_DIR/fw-a.log"
	[ "$(grep -c 'Helper. is read but not acted upon' "$LAB_DIR/fw-a.log")" = 1 ] &&
		[ "$(grep -c 'From Kernelspace.* is read but not acted upon' "$LAB_DIR/fw-a.log")" = 1 ]
	rc=$?
	daemon_stop fw-a
	mv "$LAB_DIR/plain.conf" "$LAB_DIR/fw-a.conf"
	daemon_start fw-a && return $rc
}

# A log that cannot be opened ends the start, a scheduler that cannot be set and a kernel that is silent do not.
what_cannot_be_had_is_said() {
	local rc
	daemon_stop fw-a
	sed 's,LogFile .*,LogFile /nonexistent/log,' "$LAB_DIR/fw-a.conf" >"$LAB_DIR/other.conf"
	in_ns fw-a timeout 20 "$CT_BIN/conntrackd" -C "$LAB_DIR/other.conf" >"$LAB_DIR/second.out" 2>&1
	[ $? -eq 1 ] && grep -q "^ERROR: can't open logfile ./nonexistent/log'.Reason: No such file or directory$" "$LAB_DIR/second.out" || return
	in_ns fw-a setpriv --bounding-set=-sys_nice "$CT_BIN/conntrackd" -C "$LAB_DIR/fw-a.conf" -d || return
	wait_for 10 grep -q '\[warning\] scheduler configuration failed: ' "$LAB_DIR/fw-a.log" && ctl fw-a -k
	rc=$?
	flow_events fw-a 0
	daemon_start fw-a && wait_for 10 grep -q '\[warning\] this kernel reports no flows: ' "$LAB_DIR/fw-a.log" || rc=1
	flow_events fw-a 1
	return $rc
}

# One line says who is missing and what to do.
missing_users_are_named() {
	local user rc
	daemon_stop fw-a
	for user in _conntrackd _ctd-worker; do
		grep -v "^$user:" /etc/passwd >"$LAB_DIR/passwd"
		in_ns fw-a unshare --mount sh -c 'mount --bind "$1/passwd" /etc/passwd && shift && exec timeout 20 "$@"' - "$LAB_DIR" \
			"$CT_BIN/conntrackd" -C "$LAB_DIR/fw-a.conf" >"$LAB_DIR/second.out" 2>&1
		rc=$?
		[ $rc -eq 1 ] && [ "$(grep -c '\[ERROR\]' "$LAB_DIR/second.out")" = 1 ] &&
			grep -q "no user .$user': run systemd-sysusers" "$LAB_DIR/second.out" && continue
		cat "$LAB_DIR/second.out" >&2
		return 1
	done
	daemon_start fw-a
}

# The last line of every start that fails behind the lock; one that finds the lock taken has nothing wrong with it.
failed_start_says_what_to_do() {
	local hint='conntrackd cannot start, please review your configuration' what rc
	! grep -q "$hint" "$LAB_DIR/second.out" "$LAB_DIR/fw-a.log" || return
	for what in 's/10\.99\.0\.1/10.77.0.1/' 's/link0/none0/' 's,Path .*,Path /nonexistent/ctl,'; do
		sed "s,fw-a,other,; $what" "$LAB_DIR/fw-a.conf" >"$LAB_DIR/other.conf"
		rm -f "$LAB_DIR/other.log"
		in_ns fw-a timeout 20 "$CT_BIN/conntrackd" -C "$LAB_DIR/other.conf" -d >>"$LAB_DIR/other.out" 2>&1
		rc=$?
		[ $rc -eq 1 ] && tail -n 1 "$LAB_DIR/other.log" | grep -q "\[ERROR\] $hint\$" || return
	done
}

daemon_mode_returns_when_ready() {
	local p
	daemon_stop fw-a
	flows fw-a create tcp 0 20
	in_ns fw-a timeout 20 "$CT_BIN/conntrackd" -C "$LAB_DIR/fw-a.conf" -d || return
	[ "$(cache_counter fw-a internal)" -ge 20 ] || return
	ctl fw-a -k && wait_for 10 nobody_answers
}

# As logrotate does it with "create".
sighup_opens_the_log_again() {
	daemon_start fw-a
	mv "$LAB_DIR/fw-a.log" "$LAB_DIR/fw-a.log.1"
	install -o _ctd-worker -m 600 /dev/null "$LAB_DIR/fw-a.log"
	kill -HUP "${DAEMON_PID[fw-a]}"
	wait_for 10 log_grows && alive fw-a
}

log_grows() {
	ctl fw-a -B && [ -s "$LAB_DIR/fw-a.log" ]
}

# The spare has had the old file open since the start.
spare_log_worker_writes_the_new_file() {
	local log
	log=$(pgrep -P "${DAEMON_PID[fw-a]}" -o -f 'ctd-worker log') && kill -9 "$log" || return
	wait_for 10 grep -q 'a spare log worker takes over' "$LAB_DIR/fw-a.log" && alive fw-a
}

# clients WHAT: connections that say nothing, nonsense, half a request, or never read their answer.
clients() {
	in_ns_bg fw-a "$LAB_DIR/clients.out" python3 "$CT_SRC/test/netns/clients.py" "$LAB_DIR/fw-a.sock" "$@"
	CLIENTS=$BG # the clients themselves: with their connections left open there would be no place for the next ones
	wait_for 20 grep -q "$1 there" "$LAB_DIR/clients.out" || return
	flows fw-a create udp "$2" 20 && replicated_or_show fw-a fw-b && alive fw-a
	local rc=$?
	kill "$CLIENTS" 2>/dev/null
	wait "$CLIENTS" 2>/dev/null
	alive fw-a && return $rc
}

silent_clients() { clients silent 100; }
garbage_clients() { clients garbage 200; }
half_requests() { clients half 300; }
clients_that_do_not_read() { flows fw-a create tcp6 0 20000 && clients deaf 400; }
hasty_clients() { clients hasty 500; }

run_cases sigterm_is_clean stop_request_is_clean restarts_work second_start_is_refused failed_start_says_what_to_do missing_users_are_named \
	later_keywords_are_logged what_cannot_be_had_is_said daemon_mode_returns_when_ready \
	sighup_opens_the_log_again spare_log_worker_writes_the_new_file silent_clients garbage_clients half_requests clients_that_do_not_read hasty_clients
