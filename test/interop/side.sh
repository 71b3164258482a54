#!/bin/bash
# side.sh MODE [MODE-OPTION]: the same story is told to a pair of Debian's conntrackd 1.4.7 and then to a pair of ours: configuration,
# flows, requests, wrong requests. What requests print, on which stream, their exit states, the kernels' tables, the caches and the
# logs have to be the same, but for what is left out here, with a reason, and stands in conntrackd(8).
set -u
. "${CT_SRC:-$(dirname "$0")/../..}/test/lib/netns.sh"
lab_daemons debian debian
lab_open "side-$1"
lab_node fw-a fw-b
lab_link fw-a fw-b
filter="Filter From Userspace { Address Ignore { IPv4_address 10.99.0.0/24 IPv6_address fd99::/64 IPv6_address fe80::/10 } }"
for fw in fw-a fw-b; do
	daemon_conf $fw x "$1" "${2:-}" "$filter"
done

# Time, processes, numbers that count packets or octets; the version that usage and -v tell. Tables have no order. States of SCTP
# have their own names in our XML.
plain() {
	sed -E 's/^\[.{24}\] \(pid=[0-9]+\)/[T] (pid=P)/; s/active since [0-9]+s/active since Ns/; s/<id>[0-9]+/<id>N/; s/seq:[0-9]+/seq:N/
		s/has taken [0-9.]+/has taken T/; s/^ +[0-9]+ (Bytes|Pckts) sent +[0-9]+ (Bytes|Pckts) recv/N \1 sent N \2 recv/
		s/(protoname="sctp".*<state>)[A-Z_]+/\1S/; s/v1\.4\.[0-9]/v1.4.X/' |
		sed '/^Connection tracking userspace daemon v1.4.X$/,/^conntrackctl does all\|^  -t, reset the kernel timeout/d' | sed '1{/^$/d}'
}

# ask NODE ARG…: status, standard output, standard error.
ask() {
	local rc
	echo "# $*"
	ctl "$@" >"$LAB_DIR/out" 2>"$LAB_DIR/err" </dev/null
	rc=$?
	echo "status $rc"
	plain <"$LAB_DIR/out" | if grep -qE '^(tcp|udp|icmp|<flow)' "$LAB_DIR/out"; then sort; else cat; fi
	plain <"$LAB_DIR/err" | sed 's/^/error: /'
}

flows() {
	local verb=$1 kind=$2
	shift 2
	in_ns fw-a "$CTBLAST" "$verb" -k "$kind" "$@" >/dev/null
}

arrived() {
	case $MODE_OPTION in
	*External*) [ "$(flows_kernel fw-a)" = "$(flows_kernel fw-b)" ] ;;
	*) replicated fw-a fw-b ;;
	esac
}

# everything_shown [WORD]: what the kernel had to say about a commit is counted in another way, so runtime is for before it.
everything_shown() {
	local fw word
	for fw in fw-a fw-b; do
		for word in "" $1 network cache multicast link process ct expect n c; do
			ask $fw -s $word
		done
		for word in -i -e "-i ct" "-e ct -x" "-i -x" "-i expect" "-e expect -x"; do
			ask $fw $word
		done
	done
}

wrong_requests() {
	local words
	for words in "-s r" "-s nothing" "-f nothing" "-c xx" "-i xx" "-x" "-i -x -x" "-x -e" "-s -x" "-n expect" "-d -s" "-s -d" "-s extra words" \
		"-f internal external" "-v" "-s -v" "-h" "-C /nonexistent -s" "-C /tmp -s"; do
		ask fw-a $words
	done
}

story() {
	local k fw
	for fw in fw-a fw-b; do
		in_ns $fw "$CONNTRACK" -F >/dev/null 2>&1
		rm -f "$LAB_DIR/$fw.log" "$LAB_DIR/$fw.lock"
	done
	ask fw-a -s
	daemon_start fw-a && daemon_start fw-b
	# Ours exchange what they have when they meet: before there are flows, else some are told twice.
	[ "$MODE" = NOTRACK ] || ! is_ours fw-a || { wait_for 10 has_sent_all fw-a && wait_for 10 has_sent_all fw-b; } || echo "do not meet"
	for k in tcp udp icmp sctp tcp6 udp6 nat natudp; do
		flows create $k -n 3
	done
	wait_for 20 arrived && wait_for 20 settled || echo "not replicated"
	everything_shown runtime
	wrong_requests
	ask fw-b -c
	flows_kernel fw-b
	ask fw-b -f external
	ask fw-b -e
	ask fw-b -n
	wait_for 20 arrived || echo "not sent again"
	flows delete tcp -n 1
	flows update udp -n 1 -m 5
	flows update tcp6 -n 1 -s 5
	wait_for 20 arrived && wait_for 20 settled || echo "changes not replicated"
	everything_shown ""
	for words in "-c ct" "-c expect" "-R ct" "-R expect" "-t" "-t" "-f internal" -B; do
		ask fw-b $words
	done
	flows_kernel fw-a
	ask fw-a -F ct
	wait_for 20 no_flows || echo "not flushed"
	ask fw-a -i
	for fw in fw-a fw-b; do
		ask $fw -k
		ask $fw -s
	done
}

has_sent_all() {
	grep -q 'sending bulk update' "$LAB_DIR/$1.log"
}

# Nothing waits for an acknowledgement any more.
settled() {
	ctl fw-a -s cache | awk '/active.total/ { gsub("[^0-9/]", ""); split($0, n, "/"); if (n[2] != n[3]) bad = 1 } END { exit bad }'
}

no_flows() {
	[ -z "$(flows_kernel fw-a)" ]
}

# Ours asks and sends by itself when a peer appears, says who had it stopped, and what its workers say about the settings has no place
# among the first lines.
log_of() {
	plain <"$LAB_DIR/$1.log" | grep -e 'event filtering' -e 'disabling' | sort
	plain <"$LAB_DIR/$1.log" | grep -v -e 'resync requested' -e 'sending bulk update' -e 'event filtering' -e 'disabling' -e 'asked to stop'
}

tell() {
	lab_daemons "$1" "$1"
	{
		story
		log_of fw-a
		log_of fw-b
	} >"$LAB_DIR/$1.story" 2>&1
}

MODE=$1 MODE_OPTION=${2:-}
tell debian
tell ours
[ "$(wc -l <"$LAB_DIR/debian.story")" -gt 300 ] || die "Debian's pair says too little"
diff -U4 "$LAB_DIR/debian.story" "$LAB_DIR/ours.story"
