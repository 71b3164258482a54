# the sync worker that takes over stands still (SIGSTOP) in the middle of it
scenario() {
	local many
	many=$(long 20000 100000)
	export WATCHDOG_USEC=400000 # it is cut off after two seconds
	lab_up
	flows $ACTIVE create tcp 0 $many -t 3000
	tables_agree "before" 60
	log_mark
	hand_over_and STOP $((many + flows))
	takes_over
	logged $ACTIVE 'gives no sign of life: cut off'
	streams_live "after the worker stood still in the middle of the take-over"
	node_joins $BACKUP backup
	tables_agree "after the worker stood still" 60
}
