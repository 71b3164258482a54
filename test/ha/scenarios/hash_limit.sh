# more flows than HashLimit admits, on the active node and fewer still on its backup: the streams, which were first, survive a
# fail-over, and nothing is missing when there is room again
scenario() {
	local many
	many=$(long 500 5000)
	lab_up
	log_mark
	flows $ACTIVE create tcp 0 $many -t 3000
	logged $ACTIVE 'HashLimit [0-9]* is reached'
	logged $BACKUP 'HashLimit [0-9]* is reached'
	streams_live "with full caches"
	flows $ACTIVE delete tcp 0 $many
	tables_agree "with room again" 60
	flows $ACTIVE create tcp 0 $many -t 3000
	fail_over_with_full_caches
	flows $ACTIVE delete tcp 0 $many
	tables_agree "with room once more" 60
}

configure() {
	GENERAL="HashLimit $((flows + 200))"
	[ "$1" != fw-b ] || GENERAL="HashLimit $((flows + 100))"
	daemon_conf "$1" x "$MODE" "$MODE_OPTIONS" "$(demo_filter) $GENERAL"
}

fail_over_with_full_caches() {
	power_off $ACTIVE
	takes_over && streams_live "after a take-over with full caches"
	power_on $BACKUP
}
