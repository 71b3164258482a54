# three nodes in one multicast group: what one knows both others know; the last one takes over from the second; then all three again
scenario() {
	local i first second
	TRANSPORT=mcast4 LINK=link_segment FIREWALLS=(fw-a fw-b fw-c) MODE=${THREE_MODE:-NOTRACK}
	lab_up
	churn "$(long 50 200)"
	for ((i = 0; i < $(long 1 5); i++)); do
		first=$ACTIVE
		one_falls
		second=$ACTIVE
		one_falls
		power_on "$first" && power_on "$second"
		knows_all "$first" && knows_all "$second"
		first=$ACTIVE
		one_falls
		power_on "$first"
	done
	churn_end
	tables_agree "of three nodes"
	logged $ACTIVE 'Committed [1-9][0-9]* new entries'
}

# What the link loses stays lost in NOTRACK mode, until it is asked for again.
knows_all() {
	wait_for_here 30 knows_streams "$1"
	verdict $? "$1 knows every stream"
}

knows_streams() {
	[ -z "$(comm -23 <(flows_kernel $ACTIVE | canon_external | grep -v 'dport=701') <(flows_cache "$1" -e))" ] && return
	[ $MODE = FTFW ] || ctl "$1" -n
	return 1
}

# Which of the others takes over is a matter of milliseconds.
one_falls() {
	power_off $ACTIVE
	wait_for 20 somebody_is_primary
	BACKUP=$(somebody_is_primary || echo nobody)
	takes_over && streams_live "after $BACKUP's end"
}

somebody_is_primary() {
	local fw
	for fw in $(running); do
		role_is $fw primary && echo $fw && return
	done
	return 1
}
