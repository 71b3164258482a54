#!/bin/bash
# containers.sh: what container engines take away. The daemon of fw-a runs with the capabilities of Docker and Podman plus
# NET_ADMIN and behind a filter like theirs, also with a root that cannot be written; fw-b runs as ever.
set -u
. "$(dirname "$0")/common.sh"
pair_open containers

# contained [FILTER [MOUNTS]]: how fw-a's daemon and its clients are started from now on. FILTER: see test/jail/container.c.
contained() {
	local rights=-all right
	for right in chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write setfcap net_admin; do
		rights+=,+$right
	done
	cat >"$LAB_DIR/contained" <<-SH
		#!/bin/bash
		exec unshare -m sh -ec '${2:-:}; exec "\$@"' - ${1:+"$CT_BUILD/test/container" $1} setpriv --bounding-set=$rights "$CT_BIN/conntrackd" "\$@"
	SH
	chmod +x "$LAB_DIR/contained"
	CT_DAEMON_fw_a=$LAB_DIR/contained
}

# missing WALL …: these and no others are named in the log and the status, as text and for programs.
missing() {
	local wall want
	want=$(printf '%s\n' "$@" | sed '/^$/d' | sort)
	wait_for 10 own fw-a status || return
	[ "$(own fw-a --json stats process | jq -r '.walls_left_out[]' | sort)" = "$want" ] || return
	[ "$(grep -c 'this kernel or container offers no .*: running without' "$LAB_DIR/fw-a.log")" = "$(printf '%s' "$want" | grep -c .)" ] || return
	for wall in "$@"; do
		[ -z "$wall" ] || { own fw-a status | grep -q "offers no $wall" && grep -q "offers no $wall: running" "$LAB_DIR/fw-a.log"; } || return
	done
}

works_there() {
	rm -f "$LAB_DIR"/fw-?.log
	clear_kernel fw-a && clear_kernel fw-b
	pair_start && flows fw-a create tcp 0 50 && replicated_or_show fw-a fw-b && ctl fw-b -c && same_kernels_or_show && alive fw-a
}

stops_there() {
	daemon_stop fw-b
	ctl fw-a -k && wait "${DAEMON_PID[fw-a]}" && [ ! -e "$LAB_DIR/fw-a.sock" ] && [ ! -e "$LAB_DIR/fw-a.lock" ]
}

engine_defaults() {
	contained engine
	works_there && missing 'network namespace' && ! grep -i 'bug\|\[ERROR\]' "$LAB_DIR/fw-a.log" && stops_there
}

# Podman's filter lets everybody make user namespaces: then nothing is missing.
user_namespaces_allowed() {
	contained
	works_there && missing '' && every_worker_has_its_own_network && stops_there
}

every_worker_has_its_own_network() {
	local p
	for p in $(workers fw-a sync) $(workers fw-a log); do
		[ "$(readlink "/proc/$p/ns/net")" != "$(readlink "/proc/${DAEMON_PID[fw-a]}/ns/net")" ] || return
	done
}

# No landlock either, as behind the filters of older engines.
older_engine() {
	contained "engine landlock"
	works_there && missing 'network namespace' landlock && stops_there
}

# MODE WORDS: what General { } says, and that the start fails and names what is missing.
refuses() {
	local rc
	daemon_conf fw-a x FTFW "" "$1"
	in_ns fw-a timeout 60 "$CT_DAEMON_fw_a" -C "$LAB_DIR/fw-a.conf" >"$LAB_DIR/said" 2>&1
	rc=$?
	daemon_conf fw-a x
	[ $rc -ne 0 ] && cat "$LAB_DIR/said" "$LAB_DIR/fw-a.log" | grep -q "cannot enter the jail: $2" || { cat "$LAB_DIR/said" >&2; return 1; }
}

what_is_asked_for_must_be_there() {
	contained "engine landlock"
	refuses 'Jail Require' 'network namespace: Operation not permitted' && refuses 'LandlockRequired on' landlock
}

# Nothing is missing outside a container, so there nothing is refused.
everything_is_there_outside() {
	CT_DAEMON_fw_a=$CT_BIN/conntrackd
	daemon_conf fw-a x FTFW "" "Jail Require LandlockRequired on"
	works_there && missing '' && stops_there
	set -- $?
	daemon_conf fw-a x
	return $1
}

checks_there() {
	contained engine
	in_ns fw-a "$CT_DAEMON_fw_a" --check -C "$LAB_DIR/fw-a.conf" >"$LAB_DIR/said" 2>&1 && [ ! -s "$LAB_DIR/said" ] || { cat "$LAB_DIR/said" >&2; return 1; }
}

statistics_there() {
	contained engine
	sed -e '1,/^General/{/^General/!d}' -e '$aStats { LogFile '"$LAB_DIR/stats.log }" "$LAB_DIR/fw-a.conf" >"$LAB_DIR/stats.conf"
	cp "$LAB_DIR/fw-a.conf" "$LAB_DIR/sync.conf" && cp "$LAB_DIR/stats.conf" "$LAB_DIR/fw-a.conf"
	rm -f "$LAB_DIR"/fw-a.log
	clear_kernel fw-a
	daemon_start fw-a && flows fw-a create udp 0 5 && flows fw-a delete udp 0 5 && wait_for 10 grep -q 'udp.*src=10.0.0.' "$LAB_DIR/stats.log" &&
		missing 'network namespace' && ctl fw-a -k && wait "${DAEMON_PID[fw-a]}"
	set -- $?
	cp "$LAB_DIR/sync.conf" "$LAB_DIR/fw-a.conf"
	return $1
}

# The volumes of such a container are writable: here the laboratory's folder.
volume="mount --bind $LAB_DIR $LAB_DIR"

read_only_root() {
	contained engine "$volume; mount -t tmpfs none /run; mount -o remount,bind,ro /"
	works_there && missing 'network namespace' && stops_there
}

nothing_to_write_but_volumes() {
	contained engine "$volume; mount -t tmpfs none /run; mount -o remount,bind,ro /run; mount -o remount,bind,ro /"
	works_there && missing 'network namespace' 'empty root directory' && stops_there
}

log_to() {
	sed -i "s|LogFile .*|LogFile $1|" "$LAB_DIR/fw-a.conf"
	rm -f "$LAB_DIR/fw-a.out"
}

# Once, and a rotation of nothing is no trouble.
log_goes_to_standard_output() {
	local to
	contained engine
	for to in /dev/stdout /dev/stderr "$LAB_DIR/link.log"; do
		ln -sf /dev/stdout "$LAB_DIR/link.log"
		log_to "$to"
		works_there && [ "$(grep -c 'initialization completed' "$LAB_DIR/fw-a.out")" = 1 ] || return
		kill -HUP "${DAEMON_PID[fw-a]}" && ctl fw-a -B && wait_for 10 [ "$(grep -c 'sending bulk update' "$LAB_DIR/fw-a.out")" -ge 1 ] &&
			! grep 'open the log file' "$LAB_DIR/fw-a.out" && stops_there || return
	done
}

log_goes_nowhere() {
	contained engine
	log_to /dev/null
	works_there && [ -c /dev/null ] && [ "$(stat -c %u:%a /dev/null)" = 0:666 ] && stops_there
}

# A log on another disk: rotated there.
log_is_a_link() {
	contained engine
	mkdir -p "$LAB_DIR/disk" && chown _ctd-worker "$LAB_DIR/disk" && ln -sf disk/real.log "$LAB_DIR/link.log"
	log_to "$LAB_DIR/link.log"
	works_there && grep -q 'initialization completed' "$LAB_DIR/disk/real.log" && mv "$LAB_DIR/disk/real.log" "$LAB_DIR/disk/old.log" &&
		kill -HUP "${DAEMON_PID[fw-a]}" && wait_for 10 [ -e "$LAB_DIR/disk/real.log" ] && ctl fw-a -B &&
		wait_for 10 grep -q 'sending bulk update' "$LAB_DIR/disk/real.log" && [ -L "$LAB_DIR/link.log" ] && stops_there
}

run_cases engine_defaults user_namespaces_allowed older_engine what_is_asked_for_must_be_there everything_is_there_outside checks_there statistics_there \
	read_only_root nothing_to_write_but_volumes log_goes_to_standard_output log_goes_nowhere log_is_a_link
