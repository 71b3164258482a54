# the active node dies in the middle of a bulk; then its successor's bulk is cut short by the death of the node that it is for
scenario() {
	local many
	many=$(long 10000 100000)
	lab_up
	flows $ACTIVE create tcp 0 "$many" -t 3000 && flows $ACTIVE create udp6 0 "$many" -t 3000
	tables_agree "with $((2 * many)) flows besides" 60
	log_mark
	ctl $ACTIVE -B & # returns when all is sent
	wait_for 10 bulk_runs || verdict 1 "no bulk is running"
	power_off $ACTIVE
	takes_over && streams_live "after a death in the middle of a bulk"
	logged $ACTIVE "Committed [1-9][0-9]* new entries"
	power_on $BACKUP
	bulk_runs_to $BACKUP || verdict 1 "no bulk was running"
	power_off $BACKUP
	power_on $BACKUP
	tables_agree "after a bulk that was cut short" 60
	logged $ACTIVE 'sending bulk update'
	streams_live "at the end"
}

bulk_runs() {
	log_since $ACTIVE 'sending bulk update'
}

# Something has arrived.
bulk_runs_to() {
	local n i
	for i in $(seq 100); do
		n=$(cache_counter "$1" external)
		[ "${n:-0}" -eq 0 ] || break
	done
	note "$1 loses its power after $n flows of the bulk"
	[ "$n" -gt 0 ]
}
