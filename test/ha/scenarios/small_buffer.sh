# an event buffer of 4 KiB that may not grow, with churn: events are lost, noticed and made good
scenario() {
	local i
	GENERAL="NetlinkBufferSize 4096 NetlinkBufferSizeMaxGrowth 4096"
	lab_up
	for ((i = 0; i < $(long 3 40); i++)); do
		flows $ACTIVE create tcp 0 3000 -t 3000 && flows $ACTIVE update tcp 0 3000 -m $((i + 1)) && flows $ACTIVE delete tcp 0 1500 &&
			flows $ACTIVE create udp $((i * 100)) 100 -t 3000
		tables_agree "in round $((i + 1))"
		flows $ACTIVE delete tcp 1500 1500
	done
	logged $ACTIVE 'socket buffer size cannot be doubled further'
	[ "$(own $ACTIVE --json stats | jq .netlink.overruns)" -gt 0 ]
	verdict $? "$ACTIVE counts overruns: $(own $ACTIVE --json stats | jq .netlink.overruns)"
	fail_over
}
