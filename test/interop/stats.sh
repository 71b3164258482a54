#!/bin/bash
# stats.sh: statistics mode beside conntrack-tools 1.4.7 in one namespace: both see the same events, and say the same.
set -u
. "${CT_SRC:-$(dirname "$0")/../..}/test/lib/netns.sh"
lab_open stats
lab_node fw-a
lab_daemons ours
DEBIAN=/usr/sbin/conntrackd
mkdir "$LAB_DIR/logs"
chown _ctd-worker "$LAB_DIR/logs"

# stats_conf WHOSE [GENERAL-LINES]: Debian's default configuration with files of its own.
stats_conf() {
	cat >"$LAB_DIR/$1.conf" <<-CONF
		General {
			HashSize 8192
			HashLimit 65535
			Syslog off
			LogFile $LAB_DIR/$1.log
			LockFile $LAB_DIR/$1.lock
			UNIX {
				Path $LAB_DIR/$1.sock
				Backlog 20
			}
			SocketBufferSize 2097152
			SocketBufferSizeMaxGrown 67108864
			Systemd on
			${2:-}
		}
		Stats {
			LogFile ${3:-$LAB_DIR/logs/$1.flows}
		}
	CONF
}

flows() {
	in_ns fw-a "$CTBLAST" "$@" >/dev/null
}

ended() {
	wc -l <"$LAB_DIR/logs/$1.flows"
}

has_ended() {
	[ "$(ended "$1")" -ge "$2" ]
}

debian() {
	in_ns fw-a "$DEBIAN" -C "$LAB_DIR/debian.conf" "$@"
}

some_of_each() {
	local k
	for k in tcp udp icmp sctp gre unknown tcp6 udp6 icmp6 nat natudp; do
		flows create -k $k -f "${1:-0}" -n 3 || return
	done
	flows create -k tcp -f $((${1:-0} + 500)) -n 3 -m 77 && flows create -k udp -f $((${1:-0} + 700)) -n 3 -z 3
}

# Ages differ by a second, and in XML 1.4.7's library calls states of SCTP by the names of TCP's.
comparable() {
	sed -E '/\[warning\] deprecated/d; s/ \[active since [0-9]+s\]//; /protonum="132"/s/<state>[A-Z_]*<.state>//' | sort
}

same_answer() {
	diff <(ctl fw-a "$@" 2>&1 | comparable) <(debian "$@" 2>&1 | comparable) >&2 || { echo "conntrackd $*" >&2; return 1; }
	[ "$(ctl fw-a "$@" >/dev/null 2>&1; echo $?)" = "$(debian "$@" >/dev/null 2>&1; echo $?)" ]
}

same_answers() {
	stats_conf fw-a
	stats_conf debian
	in_ns fw-a sysctl -q -w net.netfilter.nf_conntrack_acct=1
	daemon_start fw-a
	debian -d || return
	wait_for 20 debian -s >/dev/null || return
	some_of_each || return
	wait_for 20 holds 39 || return
	local words
	for words in -i '-i -x' -s '-s ct' '-s cache' '-s process' '-s network' '-s link' '-s queue' '-s expect' -e '-e -x' -c -n -B; do
		same_answer $words || return
	done
}

holds() {
	[ "$(ctl fw-a -i | wc -l)" = "$1" ]
}

same_lines() {
	in_ns fw-a "$CONNTRACK" -F >/dev/null 2>&1
	wait_for 20 has_ended debian 39 && wait_for 20 has_ended fw-a 39 || return
	diff <(cut -f 2 "$LAB_DIR/logs/fw-a.flows" | sort) <(cut -f 2 "$LAB_DIR/logs/debian.flows" | sort) >&2 || return
	grep -Ev '^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4}	[a-z0-9-]+ ' "$LAB_DIR/logs/fw-a.flows" && return 1
	same_answer -s && debian -k
}

# Many at once: each is a line, or counted as lost.
burst() {
	local before lost
	before=$(ended fw-a)
	flows create -k udp -f 0 -n 60000 -r 20000 || return
	wait_for 60 holds 60000 || return
	in_ns fw-a "$CONNTRACK" -F >/dev/null 2>&1
	wait_for 60 holds 0 && wait_for 30 has_ended fw-a $((before + 60000)) || {
		lost=$(grep -c 'lines of the flow log were lost' "$LAB_DIR/fw-a.log")
		echo "$(($(ended fw-a) - before)) of 60000 lines, $lost times lost" >&2
		return 1
	}
	[ "$(ended fw-a)" = $((before + 60000)) ]
}

one_more() {
	local before
	before=$(ended fw-a)
	flows create -k tcp -f "$1" -n 1 && flows delete -k tcp -f "$1" -n 1 && wait_for 20 has_ended fw-a $((before + 1))
}

rotated_by_name() {
	mv "$LAB_DIR/logs/fw-a.flows" "$LAB_DIR/logs/fw-a.flows.1"
	kill -HUP "${DAEMON_PID[fw-a]}"
	wait_for 20 test -e "$LAB_DIR/logs/fw-a.flows" && one_more 1 && [ "$(ended fw-a)" = 1 ]
}

rotated_by_copy() {
	cp "$LAB_DIR/logs/fw-a.flows" "$LAB_DIR/logs/fw-a.flows.2" && : >"$LAB_DIR/logs/fw-a.flows"
	one_more 2 && [ "$(ended fw-a)" = 1 ] && ! grep -qP '\0' "$LAB_DIR/logs/fw-a.flows"
}

worker_of() {
	pgrep -P "${DAEMON_PID[fw-a]}" -f "$1" | head -n 1
}

# A spare takes over and knows the flows.
killed_worker() {
	flows create -k tcp -f 10 -n 5 || return
	wait_for 20 holds 5 || return
	kill -KILL "$(worker_of ctd-stats)" || return
	wait_for 20 holds 5 && one_more 3 && flows delete -k tcp -f 10 -n 5 && wait_for 20 holds 0
}

# What the disk does not take is counted and told; afterwards the log goes on.
full_disk() {
	daemon_stop fw-a
	mkdir "$LAB_DIR/tiny" && mount -t tmpfs -o size=64k,mode=755 ct-tiny "$LAB_DIR/tiny" || return
	stats_conf fw-a "" "$LAB_DIR/tiny/flows"
	daemon_start fw-a
	flows create -k udp -f 0 -n 5000 -r 5000 && flows delete -k udp -f 0 -n 5000 || return
	wait_for 90 grep -q 'lines of the flow log were lost: No space left on device' "$LAB_DIR/fw-a.log" || return
	wait_for 30 holds 0 && wait_for 30 room_again
}

# What was on its way when the disk was full comes first.
room_again() {
	: >"$LAB_DIR/tiny/flows"
	flows create -k tcp -f 1 -n 1 && flows delete -k tcp -f 1 -n 1 && sleep 0.5 && grep -q tcp "$LAB_DIR/tiny/flows"
}

nothing_is_left() {
	daemon_stop fw-a
	[ ! -e "$LAB_DIR/fw-a.sock" ] && [ ! -e "$LAB_DIR/fw-a.lock" ]
}

run_cases same_answers same_lines burst rotated_by_name rotated_by_copy killed_worker full_disk nothing_is_left
