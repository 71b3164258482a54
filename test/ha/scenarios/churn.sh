# fail-over and fail-back while connections come and go
scenario() {
	lab_up
	churn "$(long 100 300)"
	sleep "$(long 1 10)"
	log_mark
	power_off $ACTIVE
	takes_over && streams_live "after the take-over, with churn"
	power_on $BACKUP
	sleep "$(long 1 10)"
	power_off $ACTIVE
	takes_over && streams_live "after the way back, with churn"
	power_on $BACKUP
	churn_end
	tables_agree "after churn"
	logged fw-a 'Committed [1-9][0-9]* new entries'
	logged fw-b 'Committed [1-9][0-9]* new entries'
}
