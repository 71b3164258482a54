# fail-overs and fail-backs in a row, each time the active node loses its power
scenario() {
	local i rounds
	rounds=$(long 3 15)
	lab_up
	tables_agree "at the beginning"
	for ((i = 1; i <= rounds; i++)); do
		note "fail-over $i of $rounds"
		log_mark
		fail_over
		logged $ACTIVE 'Committed [1-9][0-9]* new entries'
	done
}
