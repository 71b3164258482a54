# keepalived runs with conf/keepalived.conf, whose notify lines are conntrackctl's own words
scenario() {
	lab_up
	fail_over
	log_mark
	hand_over
	takes_over && streams_live "after a hand-over"
	[ "$(own $BACKUP --json status | jq -r .role)" = fault ]
	verdict $? "$BACKUP, whose keepalived was stopped, is told so: $(own $BACKUP --json status | jq -r .role)"
	node_joins $BACKUP backup
	tables_agree "at the end"
	logged $ACTIVE 'Committed [1-9][0-9]* new entries'
}

# Of the sample only what its user has to set, and the pace.
demo_keepalived() {
	local node=$1
	sed -e "s|eth0|inside|; s|eth1|outside|; s|192.0.2.1/24|10.1.0.1/24|; s|198.51.100.1/24|10.2.0.1/24|; s|2001:db8:1::1/64|fd01::1/64|
		s|2001:db8:2::1/64|fd02::1/64|; s|priority 150|priority $2|; s|advert_int 0.3|advert_int 0.1|
		s|/usr/sbin/conntrackctl|$CT_BIN/conntrackctl -C $LAB_DIR/$node.conf|" "$CT_SRC/conf/keepalived.conf" >"$LAB_DIR/$node.keepalived"
	in_ns_bg "$node" "$LAB_DIR/$node.keepalived.log" keepalived -n -l -D -P -f "$LAB_DIR/$node.keepalived" \
		-p "$LAB_DIR/$node.ka.pid" -r "$LAB_DIR/$node.vrrp.pid"
	KEEPALIVED[$node]=$BG
}

role_is() {
	own "$1" --json status | jq -e --arg role "$2" '.role == $role'
}

role_time() {
	echo "$EPOCHREALTIME"
}
