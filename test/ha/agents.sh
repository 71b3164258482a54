#!/bin/bash
# agents.sh: what supervises conntrackd in the field, run against ours by hand: Pacemaker's resource agent, Debian's init script,
# start-stop-daemon, keepalived. Each must see the daemon that it knows, and its stop must end.
set -u
. "${CT_SRC:=$(cd "$(dirname "$0")/../.." && pwd)}/test/netns/common.sh"
agent=/usr/lib/ocf/resource.d/heartbeat/conntrackd
init=/etc/init.d/conntrackd
pair_open agents "StartupResync on"

# Programs in a place of their own: supervisors look for all processes of a program, and fw-b's daemon is not theirs.
own_programs() {
	cp -r "$CT_BIN" "$LAB_DIR/bin"
	PROGRAM=$LAB_DIR/bin/conntrackd
	export CT_DAEMON_fw_a=$PROGRAM
}

# Sees to it that nothing of fw-a's daemon is left, whatever a case did.
nothing_runs() {
	! pgrep -f "$LAB_DIR/fw-a.conf" >/dev/null && [ ! -e "$LAB_DIR/fw-a.sock" ] && [ ! -e "$LAB_DIR/fw-a.lock" ]
}

nothing_runs_or_show() {
	wait_for "${1:-5}" nothing_runs && return
	pgrep -af "$LAB_DIR/fw-a.conf" >&2
	ls -l "$LAB_DIR"/fw-a.{sock,lock} >&2
	return 1
}

# ---- Pacemaker

# ocf ACTION: as Pacemaker calls it; its status. crm_master belongs to a running cluster.
ocf() {
	in_ns fw-a env OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=ct OCF_RESKEY_binary="$PROGRAM" OCF_RESKEY_config="$LAB_DIR/fw-a.conf" \
		OCF_RESKEY_CRM_meta_{master_node_max,master_max,clone_node_max}=1 OCF_RESKEY_CRM_meta_interval=0 HA_RSCTMP="$LAB_DIR" HA_SBIN_DIR="$LAB_DIR" HA_LOGD=no \
		HA_LOGFILE="$LAB_DIR/ocf.log" timeout "${2:-20}" "$agent" "$1" >>"$LAB_DIR/ocf.out" 2>&1
}

# ocf_is STATUS ACTION
ocf_is() {
	local rc
	ocf "$2"
	rc=$?
	[ $rc = "$1" ] || { echo "ocf $2: $rc, not $1" >&2; tail -n 3 "$LAB_DIR/ocf.out" >&2; return 1; }
}

# 0 done or runs, 7 does not run, 8 runs and is promoted
pacemaker() {
	printf '#!/bin/sh\n' >"$LAB_DIR/crm_master" && chmod 755 "$LAB_DIR/crm_master"
	daemon_start fw-b && flows fw-b create nat 0 20 && flows fw-b create tcp6 0 20 || return
	ocf_is 7 monitor && ocf_is 0 start && ocf_is 0 monitor && wait_for 20 known_to fw-b fw-a || return
	ocf_is 0 promote && ocf_is 8 monitor && same_kernels_or_show || return
	ocf_is 0 demote && ocf_is 0 monitor && ocf_is 0 start && ocf_is 0 notify || return
	ocf_is 0 stop && nothing_runs && ocf_is 7 monitor && ocf_is 0 stop
}

# The parent alone is killed: the next monitor says that nothing runs, and not that something is broken, which would fence the node.
pacemaker_after_a_crash() {
	ocf_is 0 start || return
	kill -KILL "$(pidof "$PROGRAM")" && nothing_runs_or_show 10 && ocf_is 7 monitor && ocf_is 0 start && ocf_is 0 stop && nothing_runs
}

pacemaker_restarts() {
	local i
	for i in 1 2 3 4 5; do
		ocf_is 0 start && ocf_is 0 stop && nothing_runs || return
	done
}

# ---- init scripts

init_script() {
	in_ns fw-a "$LAB_DIR/init" "$1" >>"$LAB_DIR/init.out" 2>&1
}

# Debian's, with the paths of this laboratory.
debian_init_script() {
	local first
	sed -e "s|^DAEMON=.*|DAEMON=$PROGRAM|; s|^CONFIG=.*|CONFIG=$LAB_DIR/fw-a.conf|; /etc.default/d" $init >"$LAB_DIR/init" && chmod 755 "$LAB_DIR/init"
	init_script start && ctl fw-a -s runtime >/dev/null && first=$(pidof "$PROGRAM") || return
	init_script start
	[ "$(pidof "$PROGRAM")" = "$first" ] || { echo "started twice" >&2; return 1; }
	init_script restart && ctl fw-a -s runtime >/dev/null && [ "$(pidof "$PROGRAM")" != "$first" ] || return
	init_script stop && nothing_runs
}

ssd() {
	in_ns fw-a start-stop-daemon --quiet --exec "$PROGRAM" "$@" >>"$LAB_DIR/ssd.out" 2>&1
}

# ssd_is STATUS ARG …
ssd_is() {
	local wanted=$1 rc
	shift
	ssd "$@"
	rc=$?
	[ $rc = "$wanted" ] || { echo "start-stop-daemon $*: $rc, not $wanted" >&2; return 1; }
}

# 0 runs or done, 1 nothing to do, 3 does not run
start_stop_daemon() {
	ssd_is 3 --status && ssd_is 1 --stop && ssd_is 0 --start -- -d -C "$LAB_DIR/fw-a.conf" && ssd_is 0 --status || return
	ssd_is 1 --start -- -d -C "$LAB_DIR/fw-a.conf" || return
	[ "$(pidof "$PROGRAM" | wc -w)" = 1 ] && pgrep -fx "$PROGRAM -d -C $LAB_DIR/fw-a.conf" >/dev/null || return
	ssd_is 0 --stop --retry TERM/10 && nothing_runs_or_show && ssd_is 3 --status
}

start_stop_daemon_with_pid_file() {
	ssd_is 0 --start --background --make-pidfile --pidfile "$LAB_DIR/pid" -- -C "$LAB_DIR/fw-a.conf" &&
		wait_for 10 ctl fw-a -s runtime && ssd_is 0 --status --pidfile "$LAB_DIR/pid" || return
	[ "$(cat "$LAB_DIR/pid")" = "$(pidof "$PROGRAM")" ] || return
	ssd_is 0 --stop --retry TERM/10 --pidfile "$LAB_DIR/pid" && nothing_runs_or_show
}

# ---- keepalived

# Of its track_process nothing can be seen here: the kernel tells network namespaces of no processes ("Failed to set/clear process event
# listen"). A track_script with pgrep asks the same question.
keepalived_in_background() {
	lab_wire fw-a vip0 fw-b vip0
	lab_addr fw-a vip0 10.77.0.2/24
	cat >"$LAB_DIR/track.conf" <<-CONF
		global_defs {
			script_user root
		}
		vrrp_script conntrackd {
			script "/usr/bin/pgrep -fx '$PROGRAM -d -C $LAB_DIR/fw-a.conf'"
			interval 1
			rise 1
			fall 1
		}
		vrrp_instance one {
			state BACKUP
			interface vip0
			virtual_router_id 1
			priority 100
			advert_int 0.1
			version 3
			virtual_ipaddress {
				10.77.0.1/24
			}
			track_script {
				conntrackd
			}
		}
	CONF
	in_ns_bg fw-a "$LAB_DIR/track.log" keepalived -n -l -D -P -f "$LAB_DIR/track.conf" -p "$LAB_DIR/t.pid" -r "$LAB_DIR/tv.pid"
}

# The state that it has entered last.
state_is() {
	[ "$(grep -oiE 'entering (MASTER|FAULT|BACKUP) STATE' "$LAB_DIR/track.log" | tail -n 1 | cut -d ' ' -f 2)" = "$1" ]
}

state_becomes() {
	wait_for 10 state_is "$1" || { echo "not $1 $2" >&2; tail -n 5 "$LAB_DIR/track.log" >&2; return 1; }
}

keepalived_watches_the_process() {
	ssd --start -- -d -C "$LAB_DIR/fw-a.conf" || return
	keepalived_in_background
	state_becomes MASTER "with the daemon" && ctl fw-a -k && nothing_runs_or_show && state_becomes FAULT "when it was stopped" || return
	ssd --start -- -d -C "$LAB_DIR/fw-a.conf" && state_becomes MASTER "when it runs again" || return
	kill -KILL "$(pidof "$PROGRAM")" && state_becomes FAULT "when it was killed" && nothing_runs_or_show
}

own_programs
cases=()
[ -x $agent ] && cases+=(pacemaker pacemaker_after_a_crash pacemaker_restarts) || die "no $agent: apt-get install resource-agents"
[ -f $init ] && cases+=(debian_init_script) || die "no $init: apt-get install conntrackd"
run_cases "${cases[@]}" start_stop_daemon start_stop_daemon_with_pid_file keepalived_watches_the_process
