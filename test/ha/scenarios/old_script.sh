# keepalived calls the script of conntrack-tools 1.4.x (primary-backup.sh) with our daemon
example=/usr/share/doc/conntrackd/examples/sync/primary-backup.sh

scenario() {
	[ -f $example ] || skip "Debian's package conntrackd has no primary-backup.sh here"
	lab_up
	log_mark
	fail_over
	logged $ACTIVE 'Committed [1-9][0-9]* new entries'
	fail_over
	logged $ACTIVE 'Committed [1-9][0-9]* new entries'
	logged $BACKUP 'flushing conntrack table in'
}

# What its user has to set.
hook_of() {
	sed -e "s|^CONNTRACKD_BIN=.*|CONNTRACKD_BIN=$CT_BIN/conntrackd|; s|^CONNTRACKD_CONFIG=.*|CONNTRACKD_CONFIG=$LAB_DIR/$1.conf|
		s|^CONNTRACKD_LOCK=.*|CONNTRACKD_LOCK=$LAB_DIR/$1.lock|" $example >"$LAB_DIR/$1.primary-backup.sh"
	chmod 755 "$LAB_DIR/$1.primary-backup.sh"
	echo "$LAB_DIR/$1.primary-backup.sh"
}
