#!/bin/sh
# primary-backup.sh primary|backup|fault: called by keepalived when this firewall changes its role.
#
# conntrackctl does each transition in one request and waits until the kernel is loaded. Where only conntrackd is
# installed, the same steps are asked for with its classic options. CONNTRACKD_CONFIG, CONNTRACKD_BIN and CONNTRACKCTL_BIN may
# be set in the environment. Status 0 unless the role is unknown or the daemon cannot be brought up.

: "${CONNTRACKD_CONFIG:=/etc/conntrackd/conntrackd.conf}"
: "${CONNTRACKD_BIN:=/usr/sbin/conntrackd}"
: "${CONNTRACKCTL_BIN:=/usr/sbin/conntrackctl}"

note() {
	logger -t conntrack-ha -p "daemon.$1" -- "$2" 2>/dev/null || echo "conntrack-ha: $2" >&2
}

# Status 1 is the only failure conntrackd knows, 126 and 127 are those of the shell that cannot run it. The transition goes
# on, so that as much as possible is done.
step() {
	"$CONNTRACKD_BIN" -C "$CONNTRACKD_CONFIG" "$@"
	case $? in 1 | 126 | 127) note err "$CONNTRACKD_BIN $* failed" ;; esac
}

classic() {
	case $1 in
	primary) step -c; step -f; step -R; step -B ;;
	backup) step -t; step -n ;;
	fault) step -t ;;
	esac
}

# A worker of the daemon may be just then giving way to its spare, so one refusal is not the end of it.
change_role() {
	if [ ! -x "$CONNTRACKCTL_BIN" ]; then
		classic "$1"
		return
	fi
	for pause in 0.2 1 0; do
		"$CONNTRACKCTL_BIN" -C "$CONNTRACKD_CONFIG" role "$1"
		case $? in
		0) return ;;
		6) note notice "another role was set before $1 was complete"; return ;; # and must not be undone
		esac
		sleep $pause
	done
	note err "conntrackctl role $1 failed"
}

answers() {
	"$CONNTRACKD_BIN" -C "$CONNTRACKD_CONFIG" -s runtime >/dev/null 2>&1
}

bring_up() {
	note warning "conntrackd does not answer, starting it"
	if [ -d /run/systemd/system ]; then
		systemctl restart conntrackd.service
	else
		"$CONNTRACKD_BIN" -C "$CONNTRACKD_CONFIG" -d
	fi
}

case ${1:-} in
primary | fault) ;;
backup)
	answers || bring_up || { note err "cannot start conntrackd"; exit 1; }
	;;
*)
	note err "unknown role '${1:-}'"
	echo "usage: primary-backup.sh primary|backup|fault" >&2
	exit 1
	;;
esac
note notice "becoming $1"
change_role "$1"
exit 0
