# the backup has another Mode, Port or Checksum: status names what keeps them apart on both nodes, and no longer once it is put right
scenario() {
	lab_up
	differs Mode 'Mode FTFW/Mode NOTRACK' 'another mode'
	logged $ACTIVE 'the peer 10.99.0.2 seems to run Mode NOTRACK'
	logged $ACTIVE 'the peer 10.99.0.2 speaks as it should again' 20
	differs Port 'Port 3780/Port 3781' 'port 378'
	# A datagram without a checksum is as good as one with: there is nothing to warn of.
	restarts_with 's/Checksum on/Checksum off/'
	tables_agree "with a checksum on one side only"
	fail_over
}

# differs WHAT CHANGE PATTERN
differs() {
	local fw
	cp "$LAB_DIR/$BACKUP.conf" "$LAB_DIR/right"
	restarts_with "s/$2/"
	for fw in "${FIREWALLS[@]}"; do
		wait_for 20 warned $fw "$3"
		verdict $? "another $1: $fw: $(warned $fw "$3" || own $fw status | grep -e ^peer -e ^warn)"
	done
	streams_live "with another $1"
	mv "$LAB_DIR/right" "$LAB_DIR/$BACKUP.conf"
	restarts_with ''
	for fw in "${FIREWALLS[@]}"; do
		wait_for 20 calm $fw "$3"
		verdict $? "$1 put right: $fw: $(own $fw status | grep '^peer ')"
	done
	tables_agree "with the same $1"
}

restarts_with() {
	daemon_stop $BACKUP
	sed -i "$1" "$LAB_DIR/$BACKUP.conf"
	daemon_start $BACKUP
}

warned() {
	own "$1" status | grep "^warning.*$2"
}

calm() {
	! warned "$@" && own "$1" status | grep '^peer *in sync'
}
