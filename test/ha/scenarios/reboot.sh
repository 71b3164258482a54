# a node with the higher priority reboots into traffic, takes its role back as soon as it has the other's flows, and loses nothing
scenario() {
	local i
	KA_WORDS=
	lab_up
	churn "$(long 100 300)"
	for ((i = 0; i < $(long 2 10); i++)); do
		power_off fw-a
		takes_over && streams_live "while fw-a is down"
		boots_and_preempts fw-a || return
		streams_live "after fw-a took over again"
	done
	churn_end
	tables_agree "at the end"
	logged fw-a 'Committed [1-9][0-9]* new entries'
}

boots_and_preempts() {
	local dev
	for dev in inside outside link0; do
		in_ns "$1" ip link set $dev up
	done
	daemon_start "$1"
	wait_for 20 has_all "$1" fw-b
	verdict $? "$1 is in sync and has what fw-b has: $(cache_counter "$1" external) flows" || return
	node_joins "$1" primary
	wait_for 20 role_is fw-b backup || { verdict 1 "fw-b does not give way"; return 1; }
	ACTIVE=$1 BACKUP=fw-b
}
