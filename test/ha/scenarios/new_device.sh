# the link's device is deleted and made again while flows come and go
scenario() {
	lab_up
	churn 100
	log_mark
	in_ns fw-a ip link del link0
	sleep "$(long 2 10)"
	lab_link fw-a fw-b
	sleep 1
	churn_end
	tables_agree "over the new device" 60
	logged fw-a 'no dedicated links available'
	logged fw-a "device .link0' becomes dedicated link"
	fail_over
}
