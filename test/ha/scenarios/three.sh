# three nodes in one multicast group: what one knows both others know; the two that are left agree, and the third when it is back
scenario() {
	local i
	TRANSPORT=mcast4 LINK=link_segment FIREWALLS=(fw-a fw-b fw-c) MODE=NOTRACK MODE_OPTIONS="StartupResync on PurgeTimeout 3"
	lab_up
	churn "$(long 50 200)"
	for ((i = 0; i < $(long 1 5); i++)); do
		power_off fw-a
		BACKUP=fw-b takes_over && streams_live "after fw-a's end"
		power_off fw-b
		BACKUP=fw-c takes_over && streams_live "after fw-b's end"
		power_on fw-a && power_on fw-b
		ACTIVE=fw-c BACKUP=fw-a
		sleep 2
		power_off fw-c
		BACKUP=fw-a takes_over && streams_live "after fw-c's end"
		power_on fw-c
		ACTIVE=fw-a BACKUP=fw-b
	done
	churn_end
	tables_agree "of three nodes"
}
