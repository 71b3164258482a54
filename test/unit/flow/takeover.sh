#!/bin/bash
# takeover.sh FLOWCOPY: real connections through a translating router outlive its whole state: the flows are carried over in the peer
# protocol and written into a kernel that has forgotten them and has no rules that would translate anew. conntrack -L shows the same before and after.
set -u
flowcopy=$1 here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 77; }
for tool in ip nft python3 conntrack; do
	command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
dir=$(mktemp -d) ns=ct-takeover-$$ pids=()
clean() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
	for n in c r s; do ip netns del $ns-$n 2>/dev/null; done
	rm -rf "$dir"
}
trap clean EXIT
fail() {
	echo "FAILED: $*"
	exit 1
}
in_r() { ip netns exec $ns-r "$@"; }

for n in c r s; do
	ip netns add $ns-$n || { echo "skipped: no network namespaces"; exit 77; }
	ip -n $ns-$n link set lo up
done
# side NODE ROUTER-LINK NUMBER: a wire between a node and the router
side() {
	ip -n $ns-r link add "$2" type veth peer name eth0 netns $ns-"$1"
	ip -n $ns-r addr add 10."$3".0.1/24 dev "$2"
	ip -n $ns-r addr add fd0"$3"::1/64 dev "$2" nodad
	ip -n $ns-"$1" addr add 10."$3".0.2/24 dev eth0
	ip -n $ns-"$1" addr add fd0"$3"::2/64 dev eth0 nodad
	ip -n $ns-r link set "$2" up
	ip -n $ns-"$1" link set eth0 up
}
side c toc 1
side s tos 2
ip -n $ns-c route add default via 10.1.0.1
ip -n $ns-c -6 route add default via fd01::1
ip -n $ns-r addr add 10.2.0.100/24 dev tos
ip -n $ns-r addr add fd02::100/64 dev tos nodad
in_r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.netfilter.nf_conntrack_tcp_loose=0
# The server has no way back but through what the router translates.
in_r nft -f - <<-'RULES' || { echo "skipped: no NAT in this kernel"; exit 77; }
	table inet fw {
		chain pre {
			type nat hook prerouting priority -100
			ip daddr 10.1.0.99 meta l4proto { tcp, udp } th dport 8000 dnat ip to 10.2.0.2:9000
			ip6 daddr fd01::99 meta l4proto { tcp, udp } th dport 8000 dnat ip6 to [fd02::2]:9000
		}
		chain post {
			type nat hook postrouting priority 100
			ip saddr 10.1.0.0/24 meta l4proto { tcp, udp } numgen inc mod 2 1 snat ip to 10.2.0.100:50000-50999
			ip6 saddr fd01::/64 meta l4proto { tcp, udp } numgen inc mod 2 1 snat ip6 to [fd02::100]:50000-50999
			ip saddr 10.1.0.0/24 snat ip to 10.2.0.100
			ip6 saddr fd01::/64 snat ip6 to fd02::100
		}
		chain forward {
			type filter hook forward priority 0
			ct state invalid drop
			meta mark set 7 ct mark set meta mark
		}
	}
RULES
ip -n $ns-r addr add 10.1.0.99/32 dev toc
ip -n $ns-r addr add fd01::99/128 dev toc nodad

mkfifo "$dir/srv" "$dir/cli"
sleep infinity >"$dir/srv" & pids+=($!)
ip netns exec $ns-s python3 "$here/talk.py" server <"$dir/srv" >"$dir/srv.out" & pids+=($!)
wait_line() { # FILE TEXT
	for _ in $(seq 300); do
		grep -q "$2" "$1" 2>/dev/null && return 0
		sleep 0.1
	done
	cat "$1"
	fail "no '$2' in ${1##*/}"
}
wait_line "$dir/srv.out" ready
exec 9<>"$dir/cli"
ip netns exec $ns-c python3 "$here/talk.py" client <&9 >"$dir/cli.out" 2>&1 & client=$!
pids+=("$client")
wait_line "$dir/cli.out" 'ready\|never\|Error'
grep -q ready "$dir/cli.out" || { cat "$dir/cli.out"; fail "the laboratory itself"; }

# everything but what counts down or says who looks; neighbour discovery is the kernel's own business
picture() {
	for f in ipv4 ipv6; do
		in_r conntrack -L -f $f 2>/dev/null
	done | sed 's/^\([a-z0-9]* *[0-9]* \)[0-9]* /\1/; s/ use=[0-9]*//; s/ *$//' | sort
}
picture >"$dir/before"
flows=$(wc -l <"$dir/before")
[ "$flows" -ge 14 ] || fail "only $flows flows"
grep -q 'dport=50[0-9][0-9][0-9]' "$dir/before" || fail "no port was translated"
in_r "$flowcopy" save "$dir/flows" || fail "saving"
# The rules go, the chains stay: their hooks are what translates packets of known flows.
in_r nft "flush chain inet fw pre; flush chain inet fw post" || fail "the rules stay"
in_r conntrack -F 2>/dev/null
[ "$(picture | wc -l)" = 0 ] || fail "not forgotten"
in_r "$flowcopy" load "$dir/flows" || fail "loading"
picture >"$dir/after"
diff -u "$dir/before" "$dir/after" || fail "other flows than before"
echo go >&9
wait $client || { cat "$dir/cli.out"; fail "conversations ended"; }
tail -n 1 "$dir/cli.out"
echo "$flows flows carried over"
