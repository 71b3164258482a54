# ftp.sh: an FTP and TFTP client and server, two firewalls between them with the kernel's helpers; sourced after test/netns/common.sh.
#
#	client ──┬── fw-a ──┬── server		client 10.1.0.2, fd01::2; server 10.2.0.2, fd02::2, behind either firewall;
#	         └── fw-b ──┘			with NAT the client is 10.9.0.1, fd09::1 to the server
#	     fw-a ── link0 ── fw-b
#
#	ftp_lab [NAT]		nodes, wires and rules; traffic passes fw-a
#	ftp_via fw-b		from now on traffic passes this firewall
#	ftp_start		server and client
#	ftp CMD …		commands to the client; fails when one does. The helper reads nothing before the first whole line, so noop
#				comes before the others
#
# The rules drop what is not new and for the server's port 21, 69 or 7, known, or RELATED. fw counters: nft_count NODE related.

ftp_lab() {
	local fw
	lab_node client server fw-a fw-b
	lab_link fw-a fw-b
	lab_addr client lo 10.1.0.2/32 fd01::2/128
	lab_addr server lo 10.2.0.2/32 fd02::2/128
	in_ns client sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	in_ns server sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	ftp_firewall fw-a 1 "${1:-}"
	ftp_firewall fw-b 2 "${1:-}"
	ftp_via fw-a
}

# ftp_firewall NODE NUMBER [NAT]
ftp_firewall() {
	local fw=$1 n=$2
	in_ns "$fw" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0
	lab_wire "$fw" inside client "$fw"
	lab_wire "$fw" outside server "$fw"
	lab_addr "$fw" inside 10.11.$n.1/24 fd11:$n::1/64
	lab_addr client "$fw" 10.11.$n.2/24 fd11:$n::2/64
	lab_addr "$fw" outside 10.12.$n.1/24 fd12:$n::1/64
	lab_addr server "$fw" 10.12.$n.2/24 fd12:$n::2/64
	in_ns "$fw" ip route add 10.1.0.2 via 10.11.$n.2
	in_ns "$fw" ip route add 10.2.0.2 via 10.12.$n.2
	in_ns "$fw" ip -6 route add fd01::2 via fd11:$n::2
	in_ns "$fw" ip -6 route add fd02::2 via fd12:$n::2
	ftp_rules "$3" | in_ns "$fw" nft -f - || die "nft refuses the rules"
	in_ns "$fw" sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
}

ftp_rules() {
	cat <<-RULES
		table inet fw {
			counter related { }
			ct helper ftp4 { type "ftp" protocol tcp; l3proto ip; }
			ct helper ftp6 { type "ftp" protocol tcp; l3proto ip6; }
			ct helper tftp4 { type "tftp" protocol udp; l3proto ip; }
			ct helper tftp6 { type "tftp" protocol udp; l3proto ip6; }
			chain helpers {
				type filter hook prerouting priority 0
				meta nfproto ipv4 tcp dport 21 ct helper set "ftp4"
				meta nfproto ipv6 tcp dport 21 ct helper set "ftp6"
				meta nfproto ipv4 udp dport 69 ct helper set "tftp4"
				meta nfproto ipv6 udp dport 69 ct helper set "tftp6"
			}
			chain forward {
				type filter hook forward priority 0; policy drop
				ct state established accept
				ct state related counter name related accept
				ct state new ct direction original tcp dport 21 accept
				ct state new ct direction original udp dport { 69, 7 } accept
				meta l4proto ipv6-icmp accept
			}
		}
	RULES
	[ -z "$1" ] || cat <<-RULES
		table inet translation {
			chain in { type nat hook prerouting priority -100; }
			chain out {
				type nat hook postrouting priority 100
				ip saddr 10.1.0.2 snat ip to 10.9.0.1
				ip6 saddr fd01::2 snat ip6 to fd09::1
			}
		}
	RULES
}

ftp_via() {
	local n=1
	[ "$1" = fw-a ] || n=2
	in_ns client ip route replace 10.2.0.2 via 10.11.$n.1 src 10.1.0.2
	in_ns client ip -6 route replace fd02::2 via fd11:$n::1 src fd01::2
	in_ns server ip route replace 10.1.0.2 via 10.12.$n.1 src 10.2.0.2
	in_ns server ip route replace 10.9.0.0/16 via 10.12.$n.1 src 10.2.0.2
	in_ns server ip -6 route replace fd01::2 via fd12:$n::1 src fd02::2
	in_ns server ip -6 route replace fd09::/64 via fd12:$n::1 src fd02::2
}

ftp_start() {
	local a
	for a in 10.2.0.2 fd02::2; do
		ftp_server "$a"
	done
	ftp_client 10.1.0.2 10.2.0.2
}

ftp_server() {
	in_ns_bg server "$LAB_DIR/server$1.out" python3 "$CT_SRC/test/lib/ftp.py" server "$1"
	wait_for 10 grep -q ready "$LAB_DIR/server$1.out" || die "no FTP server"
}

# ftp_client ADDRESS SERVER: another client in place of the one before.
ftp_client() {
	FTP_COUNT=$((${FTP_COUNT:-0} + 1))
	FTP_OUT=$LAB_DIR/client$FTP_COUNT.out
	mkfifo "$LAB_DIR/client$FTP_COUNT"
	: >"$FTP_OUT"
	in_ns_bg client "$FTP_OUT" python3 "$CT_SRC/test/lib/ftp.py" client "$1" "$2" <>"$LAB_DIR/client$FTP_COUNT"
	exec 8>"$LAB_DIR/client$FTP_COUNT"
	wait_for 10 grep -q ready "$FTP_OUT" || die "no FTP client"
}

ftp() {
	local cmd n
	for cmd in "$@"; do
		n=$(wc -l <"$FTP_OUT")
		echo "$cmd" >&8
		wait_for 20 ftp_answered "$n" || { echo "ftp $cmd: no answer" >&2; return 1; }
		tail -n 1 "$FTP_OUT" | grep -q "^$cmd ok" && continue
		tail -n 1 "$FTP_OUT" >&2
		return 1
	done
}

ftp_answered() {
	[ "$(wc -l <"$FTP_OUT")" -gt "$1" ]
}

# nft_count NODE COUNTER: packets
nft_count() {
	in_ns "$1" nft list counter inet fw "$2" | awk '/packets/ { print $2 }'
}

# ---- pictures of expectations

# One a line, without what counts down or ages.
canon_expect() {
	sed -E 's/^[0-9]+ //; s/^exp //; s/ \[active since [^]]*\]//; s/ +$//; s/ +/ /g' | sort
}

# expects_kernel NODE [PROGRAM]: of both families, as that conntrack (ours) shows them.
expects_kernel() {
	local f
	for f in ipv4 ipv6; do
		in_ns "$1" "${2:-$CONNTRACK}" -L expect -f $f 2>/dev/null
	done | canon_expect
}

expects_cache() {
	ctl "$1" "$2" expect | canon_expect
}

# expects_full NODE: everything the kernel says of its expectations, the NAT part and the function among it.
expects_full() {
	in_ns "$1" "$CT_BUILD/test/expshow" | sort
}

# What A has in its kernel stands in B's external cache, and nothing else.
expects_replicated() {
	[ "$(expects_kernel "$1")" = "$(expects_cache "$2" -e)" ]
}

expects_replicated_or_show() {
	wait_for "${3:-20}" expects_replicated "$1" "$2" && return
	diff <(expects_kernel "$1") <(expects_cache "$2" -e) >&2
	return 1
}

# expects_are NODE N: so many in the kernel.
expects_are() {
	[ "$(expects_kernel "$1" | wc -l)" = "$2" ]
}

external_expects_are() {
	[ "$(expects_cache "$1" -e | wc -l)" = "$2" ]
}

# ---- between two cases

empty_kernels() {
	local fw
	for fw in fw-a fw-b; do
		clear_kernel $fw
		in_ns $fw "$CONNTRACK" -F expect 2>/dev/null
	done
}

# Both kernels empty, traffic by way of fw-a, a new control connection (over IPv6 with -6) known to the peer.
anew() {
	ftp_via fw-a
	empty_kernels
	ctl fw-a -f && ctl fw-b -f
	if [ "${1:-}" = -6 ]; then ftp_client fd01::2 fd02::2; else ftp_client 10.1.0.2 10.2.0.2; fi
	ftp open noop && wait_for 20 known_to fw-a fw-b
}

# expected_there CMD: what the command makes the kernel of fw-a expect stands in fw-b.
expected_there() {
	ftp "$1" && wait_for 10 expects_are fw-a 1 || return
	expects_replicated_or_show fw-a fw-b
}
