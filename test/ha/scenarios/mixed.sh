# one node runs conntrackd 1.4.7: each takes over from the other
#
# 1.4.7 does not commit the verification tags of SCTP, so that two of them lose every association as well: from its take-over on those
# are spared.
scenario() {
	local i
	lab_daemons debian ours
	lab_up
	tables_agree "of 1.4.7 and ours"
	for ((i = 0; i < $(long 1 5); i++)); do
		log_mark
		fail_over
		logged fw-b 'Committed [1-9][0-9]* new entries'
		SPARED=sctp
		fail_over
		logged fw-a 'Committed [1-9][0-9]* new entries'
	done
}
