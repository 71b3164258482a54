#!/bin/bash
# differ.sh: two nodes whose Mode or Port differs: each that can know it says so, in the log and by status.
set -u
. "$(dirname "$0")/common.sh"
pair_open differ

logged() {
	grep -q "$2" "$LAB_DIR/$1.log" || { cat "$LAB_DIR/$1.log" >&2; return 1; }
}

# modes MODE-OF-FW-A MODE-OF-FW-B
modes() {
	local fw mode=$1
	for fw in fw-a fw-b; do
		[ -z "${DAEMON_PID[$fw]:-}" ] || daemon_stop $fw
		clear_kernel $fw
		rm -f "$LAB_DIR/$fw.log"
		daemon_conf $fw x $mode
		mode=$2
	done
	pair_start
}

status_says() {
	own "$1" status | tee "$LAB_DIR/status.out" | grep -q "$2"
}

# Flows that change now and then, as those of a quiet firewall: $1 creates one every 3 s.
quiet_traffic() {
	local i
	for i in 1 2 3 4 5 6 7; do
		flows "$1" create udp $((i * 10)) 1
		sleep 3
	done
}

ftfw_and_notrack() {
	modes FTFW NOTRACK
	wait_for 30 logged fw-a 'the peer 10.99.0.2 seems to run Mode NOTRACK (or does not hear this node)' &&
		wait_for 30 logged fw-b 'the peer 10.99.0.1 seems to run Mode FTFW' || return
	status_says fw-a 'the peer 10.99.0.2 has another mode' && status_says fw-b 'the peer 10.99.0.1 has another mode' &&
		! status_says fw-a '^peer *in sync'
}

ftfw_and_alarm() {
	modes FTFW ALARM
	quiet_traffic fw-b
	wait_for 20 logged fw-a 'the peer 10.99.0.2 \(seems to run Mode ALARM\|is heard, but does not acknowledge\)' &&
		wait_for 20 logged fw-b 'the peer 10.99.0.1 seems to run Mode FTFW' || return
	! status_says fw-a '^peer *in sync' && status_says fw-b 'the peer 10.99.0.1 has another mode'
}

notrack_and_alarm() {
	modes NOTRACK ALARM
	quiet_traffic fw-b
	wait_for 20 logged fw-a 'the peer 10.99.0.2 seems to run Mode ALARM' &&
		wait_for 20 logged fw-b 'the peer 10.99.0.1 seems to run Mode NOTRACK'
}

# Nobody has the port: the other host says so.
ports() {
	modes FTFW FTFW
	daemon_stop fw-b
	sed -i 's/Port 3780/Port 3781/' "$LAB_DIR/fw-b.conf"
	daemon_start fw-b
	wait_for 20 status_says fw-a "the peer's host takes nothing on port 3780" &&
		wait_for 60 logged fw-a 'nobody listens on port 3780 of 10.99.0.2' && wait_for 20 logged fw-b 'nobody listens on port 3781 of 10.99.0.1'
}

# One direction is filtered.
heard_but_deaf() {
	modes FTFW FTFW
	daemon_stop fw-b
	lab_loss 100 fw-b
	daemon_start fw-b
	wait_for 40 logged fw-a 'the peer 10.99.0.2 \(is heard, but does not acknowledge\|seems to run Mode NOTRACK\)' || return
	lab_loss 0 fw-b
	wait_for 40 logged fw-a 'the peer 10.99.0.2 speaks as it should again' && wait_for 10 status_says fw-a '^peer *in sync'
}

run_cases ftfw_and_notrack ftfw_and_alarm notrack_and_alarm ports heard_but_deaf
