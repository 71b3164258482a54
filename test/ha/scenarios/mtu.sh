# the link's MTU changes while flows come and go: smaller on one side, on both, larger
scenario() {
	local mtu
	lab_up
	for mtu in "1280 1500" "1280 1280" "576 576" "9000 9000" "1500 1500"; do
		churn 200
		in_ns fw-a ip link set link0 mtu ${mtu% *}
		in_ns fw-b ip link set link0 mtu ${mtu#* }
		sleep "$(long 0.3 5)"
		churn_end
		ctl $ACTIVE -B
		tables_agree "with MTU $mtu"
	done
	fail_over
}
