# the link loses 5 %, repeats 5 % and reorders 10 % of its datagrams; a fail-over on that link
scenario() {
	LINK=link_bad_wire
	lab_up
	bad_wire 50 50 100
	churn "$(long 100 300)"
	sleep "$(long 3 30)"
	churn_end
	tables_agree "over the bad link" 60
	power_off $ACTIVE
	takes_over && streams_live "after a take-over over the bad link"
	power_on $BACKUP
	tables_agree "after $BACKUP came back over the bad link" 60
	bad_wire 0 0 0
	note "the wire: $(awk '{ printf "%d frames passed, %d lost, %d repeated, %d late", $1, $2, $3, $4 }' "$LAB_DIR/wire")"
	[ "$(own fw-b --json stats | jq '.network.lost + .network.before')" -gt 0 ]
	verdict $? "fw-b counts what was lost and what came twice: $(own fw-b --json stats | jq -c .network)"
}
