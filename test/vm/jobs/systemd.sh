#!/bin/bash
# systemd.sh: the installed unit under a real systemd: users and directories, AppArmor profile, readiness, every way to
# end it, watchdog, and what the unit takes away. fw-a is the guest itself, fw-b a namespace.
. "$CT_SRC/test/vm/jobs/common.sh"
unit=conntrackd.service
flows=0

property() {
	systemctl show -P "$1" $unit
}

main_pid_is_new() {
	local pid
	pid=$(property MainPID)
	[ "$(property ActiveState)" = active ] && [ "$pid" != 0 ] && [ "$pid" != "${1:-0}" ]
}

processes() {
	cat "/sys/fs/cgroup$(property ControlGroup)/cgroup.procs"
}

# installed WORD: a file or folder below the prefix.
installed() {
	property ExecStart | sed -n "s|.* path=\(/.*\)/sbin/conntrackd ;.*|\1/$1|p"
}

conf_file() {
	property ExecStart | sed -n 's/.* -C \([^ ]*\) .*/\1/p'
}

etc() {
	conf_file | sed 's|/conntrackd/conntrackd.conf$||'
}

# As a fresh machine is: nobody knows the users, /run is empty.
users_and_directories_are_made() {
	sed -i '/^_conntrackd:\|^_ctd-worker:/d' /etc/passwd /etc/group /etc/shadow /etc/gshadow
	! getent passwd _conntrackd || return
	systemd-sysusers openconntrack.conf && systemd-tmpfiles --create openconntrack.conf || return
	getent passwd _conntrackd _ctd-worker >/dev/null && [ "$(getent passwd _ctd-worker | cut -d : -f 7)" = /usr/sbin/nologin ] &&
		[ "$(stat -c '%U %a' /run/conntrackd)" = "root 755" ] && [ -d /run/conntrackd/empty ]
}

profile_is_loaded() {
	apparmor_parser --skip-cache -r "$(find "$(installed share/doc)" -path '*/apparmor/conntrackd')" &&
		grep -q '^conntrackd (enforce)$' /sys/kernel/security/apparmor/profiles
}

unit_is_sound() {
	local said
	said=$(systemd-analyze verify "$(property FragmentPath)" 2>&1)
	systemd-analyze security --offline=yes --threshold=32 --no-pager "$(property FragmentPath)" >/tmp/said 2>&1 || { cat /tmp/said; return 1; }
	[ -z "$said" ] && [ "$(property LoadState)" = loaded ] && return
	echo "$said"
	return 1
}

# The sample configuration as it is installed, but for the names of devices and addresses.
make_configurations() {
	local conf sample
	conf=$(conf_file)
	sample=$(find "$(installed share/doc)" -name ftfw.conf) || return
	mkdir -p "${conf%/*}"
	sed -e 's/eth2/link0/; s/#Syslog on/Syslog on/; s/^General {/&\nLandlockRequired on/' "$sample" >"$conf"
	sed -e 's/192.168.100.1$/192.168.100.9/; s/192.168.100.2$/192.168.100.1/; s/192.168.100.9$/192.168.100.2/
		s|/run/conntrackd/conntrackd|'"$LAB_DIR"'/fw-b|; s|LogFile on|&\nSystemd off|; s/eth2/link0/' "$sample" >"$LAB_DIR/fw-b.conf"
}

unit_becomes_ready() {
	systemctl start $unit || return
	main_pid_is_new && [ "$(readlink "/proc/$(property MainPID)/exe" | sed 's/.*\///')" = conntrackd ] &&
		[ "$(property NRestarts)" = 0 ] && [ "$(processes | wc -l)" = 8 ]
}

journal_has() {
	journalctl -q -u $unit | grep -q -- "$1"
}

journal_tells() {
	wait_for 10 journal_has 'initialization completed' && wait_for 10 journal_has 'systemd.*: Started' &&
		! journalctl -q _PID=1 | grep -i "$unit.*\(unknown\|ignoring\|failed to parse\)"
}

# Twenty flows more in the kernel, and the peer knows all there are.
flows_are_replicated() {
	"$CTBLAST" create -k tcp -f $flows -n 20 >/dev/null || return
	flows=$((flows + 20))
	wait_for 30 peer_has_all
}

peer_has_all() {
	[ "$(ctl fw-b -e | grep -c '^tcp')" = $flows ]
}

it_replicates() {
	daemon_start fw-b && flows_are_replicated
}

status_under_the_profile() {
	"$(installed sbin/conntrackd)" -C "$(conf_file)" -s >/tmp/said 2>&1 && grep -q 'cache internal' /tmp/said &&
		"$(installed sbin/conntrackctl)" -C "$(conf_file)" status >/tmp/said 2>&1 && grep -q '^role' /tmp/said && return
	cat /tmp/said
	return 1
}

# The daemon's own, and for the others one more.
profile_of() {
	local program
	program=$(basename "$(readlink "/proc/$1/exe")")
	[ "$program" = conntrackd ] && echo conntrackd || echo "conntrackd//&$program"
}

every_process_is_confined() {
	local p
	for p in $(processes); do
		[ "$(cat "/proc/$p/attr/current")" = "$(profile_of "$p") (enforce)" ] || { cat "/proc/$p/attr/current"; return 1; }
		[ "$(awk '/^CapBnd/ { print $2 }' "/proc/$p/status")" = 0000000000000000 ] || return
		[ "$(awk '/^NoNewPrivs/ { print $2 }' "/proc/$p/status")" = 1 ] || return
		[ "$(awk '/^Seccomp_filters/ { print $2 }' "/proc/$p/status")" -gt 2 ] || return # systemd's and its own
	done
}

# inside COMMAND …: in the mounts that systemd has made for the unit. Its processes themselves stand in an empty root, but
# their namespace still has the one that the start saw.
inside() {
	nsenter --mount="/proc/$(property MainPID)/ns/mnt" -- "$@"
}

# refused COMMAND …: not to be done inside, though root may do it outside.
refused() {
	! inside "$@" >/dev/null 2>&1 || { echo "allowed: $*"; return 1; }
}

mounts_are_taken_away() {
	echo x >/root/secret
	refused touch /etc/x && refused touch /usr/x && refused cat /root/secret && refused ls /dev/kmsg && refused sh -c 'echo 1 >/proc/sys/kernel/sysrq' &&
		refused mkdir /sys/fs/cgroup/x && inside touch /tmp/private && [ ! -e /tmp/private ] &&
		inside touch /run/conntrackd/x && rm /run/conntrackd/x
}

# As logrotate.d has it.
log_is_rotated() {
	mv /var/log/conntrackd.log /var/log/conntrackd.log.1 && install -o _ctd-worker -g adm -m 600 /dev/null /var/log/conntrackd.log
	sh -c "$(awk '/postrotate/ { on = 1; next } /endscript/ { on = 0 } on' "$(etc)/logrotate.d/conntrack")"
	"$(installed sbin/conntrackctl)" -C "$(conf_file)" send >/dev/null && wait_for 10 [ -s /var/log/conntrackd.log ]
}

comes_back() {
	wait_for 60 main_pid_is_new "$1" || { systemctl status $unit; return 1; }
}

killed_parent_is_restarted() {
	local pid list
	pid=$(property MainPID)
	list=$(processes)
	kill -KILL "$pid"
	comes_back "$pid" && wait_for 10 gone $list && [ "$(property NRestarts)" = 1 ] && flows_are_replicated
}

# With the last spare gone the daemon ends with status 75, and systemd brings it back.
no_spares_left_is_restarted() {
	local pid
	pid=$(property MainPID)
	while [ "$(property MainPID)" = "$pid" ] && [ -e "/proc/$pid" ]; do
		pkill -KILL -o -P "$pid" -f 'ctd-worker sync'
		sleep 0.2
	done
	comes_back "$pid" && wait_for 10 journal_has 'status=75' && [ "$(property NRestarts)" = 2 ]
}

silent_parent_is_restarted() {
	local pid
	mkdir -p "/run/systemd/system/$unit.d"
	printf '[Service]\nWatchdogSec=10\nTimeoutAbortSec=1\n' >"/run/systemd/system/$unit.d/watchdog.conf"
	systemctl daemon-reload && systemctl restart $unit || return
	pid=$(property MainPID)
	sleep 15 # longer than the watchdog waits: signs of life arrive
	main_pid_is_new && [ "$(property MainPID)" = "$pid" ] || return
	kill -STOP "$pid"
	comes_back "$pid" && wait_for 10 journal_has 'Watchdog timeout'
}

restart_and_stop_are_clean() {
	local pid list
	pid=$(property MainPID)
	systemctl restart $unit && main_pid_is_new "$pid" && flows_are_replicated || return
	list=$(processes)
	systemctl stop $unit && [ "$(property ActiveState)" = inactive ] && [ "$(property Result)" = success ] && gone $list &&
		[ ! -e /run/conntrackd/conntrackd.ctl ]
}

wrong_configuration_is_reported() {
	local conf
	conf=$(conf_file)
	cp "$conf" /tmp/good && echo 'Sink {' >>"$conf"
	! systemctl start $unit 2>/dev/null && wait_for 10 journal_has "$conf:" || return
	cp /tmp/good "$conf"
	systemctl stop $unit && systemctl reset-failed $unit && systemctl start $unit && main_pid_is_new
}

# What VyOS generates lies in the same folder as our socket.
generated_configuration_stays() {
	systemctl start $unit && echo '# generated' >/run/conntrackd/conntrackd.conf && systemctl stop $unit &&
		[ "$(cat /run/conntrackd/conntrackd.conf)" = '# generated' ] && [ "$(stat -c '%U %a' /run/conntrackd)" = "root 755" ]
	set -- $?
	rm -f /run/conntrackd/conntrackd.conf
	return $1
}

# Lock, socket and log where 1.4.x has them, a scheduler, and a start without any of our directories.
paths_of_old() {
	local conf
	conf=$(conf_file)
	cp "$conf" /tmp/good && rm -r /run/conntrackd || return
	sed -i 's|LockFile .*|LockFile /var/lock/conntrackd.lock|; s|Path .*|Path /var/run/conntrackd.ctl|; s|^General {|&\nScheduler { Type RR Priority 50 }|' "$conf"
	grep -q '/var/run/conntrackd.ctl' "$conf" && grep -q '/var/lock/conntrackd.lock' "$conf" || { cat "$conf"; return 1; }
	systemctl start $unit && main_pid_is_new && [ -S /run/conntrackd.ctl ] && [ -f /run/lock/conntrackd.lock ] &&
		"$(installed sbin/conntrackd)" -C "$conf" -s >/dev/null && [ "$(chrt -p "$(property MainPID)" | grep -c 'SCHED_RR')" = 1 ] &&
		systemctl stop $unit && [ ! -e /run/conntrackd.ctl ] && [ ! -e /run/lock/conntrackd.lock ]
	set -- $?
	cp /tmp/good "$conf"
	return $1
}

# As Debian's package is configured.
statistics_mode() {
	local conf
	conf=$(conf_file)
	systemctl stop $unit
	cp "$conf" /tmp/good && printf 'General {\n\tLogFile on\n\tSyslog off\n\tUNIX { Path /run/conntrackd/conntrackd.ctl }\n}\nStats {\n\tLogFile on\n}\n' >"$conf"
	systemctl start $unit && main_pid_is_new && "$CTBLAST" create -k udp -f 9000 -n 5 >/dev/null && "$CTBLAST" delete -k udp -f 9000 -n 5 >/dev/null &&
		wait_for 20 grep -q 'udp.*src=10.0.35' /var/log/conntrackd-stats.log && "$(installed sbin/conntrackctl)" -C "$conf" status >/tmp/said 2>&1 &&
		systemctl stop $unit
	set -- $?
	cp /tmp/good "$conf"
	return $1
}

# The profile bites: a file that it does not name cannot be read, not even by root.
profile_denies_the_rest() {
	cp "$(conf_file)" /root/elsewhere.conf
	! "$(installed sbin/conntrackd)" --check -C /root/elsewhere.conf >/dev/null 2>&1 &&
		"$(installed sbin/conntrackd)" --check -C "$(conf_file)" >/dev/null && dmesg | grep -q 'apparmor="DENIED".*elsewhere'
}

lab_open systemd
lab_node fw-b
ip link add link0 type veth peer name link0 netns "$LAB-fw-b" && ip link set link0 up && in_ns fw-b ip link set link0 up
ip addr add 192.168.100.1/24 dev link0
lab_addr fw-b link0 192.168.100.2/24
make_configurations || die "no sample configuration is installed"
run_cases users_and_directories_are_made profile_is_loaded unit_is_sound unit_becomes_ready journal_tells it_replicates \
	status_under_the_profile every_process_is_confined mounts_are_taken_away log_is_rotated killed_parent_is_restarted \
	no_spares_left_is_restarted silent_parent_is_restarted restart_and_stop_are_clean generated_configuration_stays paths_of_old statistics_mode wrong_configuration_is_reported kernel_is_content
rc=$?
run_cases profile_denies_the_rest || rc=1
[ $rc -eq 0 ] || journalctl -q -u $unit | tail -n 40
exit $rc
