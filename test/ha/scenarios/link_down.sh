# the dedicated link is down while flows come and go; afterwards both know the same, and a fail-over loses nothing
scenario() {
	lab_up
	churn 100
	log_mark
	in_ns fw-a ip link set link0 down
	sleep "$(long 5 30)"
	streams_live "while the link is down"
	in_ns fw-a ip link set link0 up
	sleep 1
	churn_end
	tables_agree "after the link came back" 60
	logged fw-a 'no dedicated links available'
	logged fw-a "device .link0' becomes dedicated link"
	fail_over
}
