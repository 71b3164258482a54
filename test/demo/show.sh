# show.sh: what the demonstration prints, and the questions it asks of its own state files.

bold= plain=
[ ! -t 1 ] || [ -n "${NO_COLOR:-}" ] || { bold=$'\033[1m' plain=$'\033[0m'; }

strong() {
	echo "$bold$*$plain"
}

title() {
	echo
	strong "$*"
}

since_kill() {
	awk -v a="${kill_time:-$EPOCHREALTIME}" -v b="${1:-$EPOCHREALTIME}" 'BEGIN { printf "%+7.2f s", b - a }'
}

all_alive() {
	[ "$(status alive)" = "$flows" ]
}

active() {
	local fw
	for fw in fw-b fw-a; do
		[ -e "/proc/${KEEPALIVED[$fw]}/exe" ] && role_is $fw primary && echo $fw && return
	done
	echo none
}

# In the kernel and, with a daemon, held for the other firewall.
flows_of() {
	local held=
	[ -e "/proc/${KEEPALIVED[$1]}/exe" ] || { echo dead; return; }
	[ ! -e "/proc/${DAEMON_PID[$1]:-none}/exe" ] || held=" (+$(cache_counter "$1" external))"
	echo "$(count_kernel "$1")$held"
}

show_now() {
	printf '%s  %-6s active %-5s flows fw-a %-10s fw-b %-10s streams %s alive, %s silent, %s broken\n' \
		"$([ -n "${kill_time:-}" ] && since_kill || echo '          ')" "$1" "$(active)" \
		"$(flows_of fw-a)" "$(flows_of fw-b)" "$(status alive)" "$(status silent)" "$(status broken)"
}

show_event() {
	echo "$(since_kill)  $(strong "$*")"
}

show_takeover() {
	local begins done
	begins=$(sed -n 's/ primary begins//p' "$LAB_DIR/fw-b.roles" | tail -n 1)
	done=$(sed -n 's/ primary done//p' "$LAB_DIR/fw-b.roles" | tail -n 1)
	printf '%s  fw-b owns the addresses (VRRP)\n' "$(since_kill "$begins")"
	[ "$1" = 0 ] && return
	printf '%s  fw-b has committed: %s\n' "$(since_kill "$done")" "$(committed)"
}

committed() {
	local n t
	n=$(grep -m 1 -o 'Committed [0-9]* new entries' "$LAB_DIR/fw-b.log")
	t=$(grep -m 1 -o 'commit has taken [0-9.]* seconds' "$LAB_DIR/fw-b.log")
	echo "${n:-nothing committed}, ${t:-no time logged}"
}

show_result() {
	local lost name all alive gap rest
	lost=$((flows - $(status alive)))
	printf '           %-9s %8s %8s %15s\n' stream opened alive 'longest gap'
	tail -n +2 "$LAB_DIR/status" | while read -r name all alive gap rest; do
		printf '           %-9s %8s %8s %12s ms\n' "$name" "$all" "$alive" "$gap"
	done
	if [ "$1" = 0 ]; then
		strong "$lost of $flows streams lost, as they must be"
		[ "$lost" -eq "$flows" ]
		return
	fi
	strong "$lost of $flows streams lost, longest gap $(status gap) ms"
	[ "$lost" -eq 0 ]
}

show_hints() {
	local n
	{
		for n in "${LAB_NODES[@]}"; do
			echo "kill -KILL \$(ip netns pids $LAB-$n) 2>/dev/null; ip netns del $LAB-$n"
		done
		echo "rm -rf $LAB_DIR"
	} >"$LAB_DIR/clean.sh"
	cat <<-TEXT

		The laboratory is still there; fw-b is active, the streams run, fw-a is dead.
		  look at fw-b          nsenter --net=/run/netns/$LAB-fw-b $CT_BIN/conntrackctl -C $LAB_DIR/fw-b.conf status
		                        nsenter --net=/run/netns/$LAB-fw-b $(daemon_of fw-b) -C $LAB_DIR/fw-b.conf -s
		  its kernel table      nsenter --net=/run/netns/$LAB-fw-b $CONNTRACK -L
		  the streams           cat $LAB_DIR/status
		  bring fw-a back       for i in inside outside link0; do ip -n $LAB-fw-a link set \$i up; done
		                        nsenter --net=/run/netns/$LAB-fw-a $(daemon_of fw-a) -C $LAB_DIR/fw-a.conf -d
		  clear away            sh $LAB_DIR/clean.sh
	TEXT
}
