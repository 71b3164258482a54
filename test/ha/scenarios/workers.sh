# the sync worker that takes over is killed in the middle of it, then until no spare is left
scenario() {
	local many
	many=$(long 20000 100000)
	lab_up
	flows $ACTIVE create tcp 0 $many -t 3000
	tables_agree "before" 60
	log_mark
	hand_over_and KILL $((many + flows))
	takes_over
	logged $ACTIVE 'a spare sync worker takes over'
	streams_live "after the worker's death in the middle of the take-over"
	node_joins $BACKUP backup
	tables_agree "after the worker's death" 60
	until_none_is_left $ACTIVE
	daemon_start $ACTIVE
	streams_live "after the daemon's end and start"
	tables_agree "after the daemon's end and start" 60
}

# With nobody left the daemon ends, so that its supervisor starts it again.
until_none_is_left() {
	local w rc
	until ! w=$(workers "$1" sync | head -n 1) || [ -z "$w" ]; do
		kill -KILL "$w" 2>/dev/null
		sleep 0.3
	done
	wait "${DAEMON_PID[$1]}"
	rc=$?
	[ $rc = 75 ]
	verdict $? "$1 ended with status $rc"
	logged "$1" 'no spare sync worker is left'
}
