# neither VRRP nor the link gets through, both nodes are primary; then it heals
#
# Meanwhile the streams pass fw-b, and fw-a, which stays primary, does not see their acknowledgements. Without be_liberal its kernel would
# take what comes afterwards for invalid, whatever a daemon does.
scenario() {
	lab_up
	for fw in fw-a fw-b; do
		in_ns $fw sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=1
	done
	churn 50
	log_mark
	apart
	wait_for 20 role_is $BACKUP primary
	verdict $? "both are primary: $(own fw-a --json status | jq -r .role), $(own fw-b --json status | jq -r .role)"
	sleep "$(long 3 20)"
	streams_live "with two primary nodes"
	together
	wait_for 20 role_is $BACKUP backup
	verdict $? "one gives way: $(own fw-a --json status | jq -r .role), $(own fw-b --json status | jq -r .role)"
	churn_end
	streams_live "after it healed"
	tables_agree "after it healed" 60
	logged fw-b 'Committed [1-9][0-9]* new entries'
	logged fw-b 'flushing conntrack table in'
	fail_over
}

apart() {
	in_ns fw-a ip link set link0 down
	for fw in fw-a fw-b; do
		in_ns $fw nft add table ip apart
		in_ns $fw nft 'add chain ip apart in { type filter hook prerouting priority -400; }'
		in_ns $fw nft add rule ip apart in ip protocol vrrp drop
	done
}

together() {
	for fw in fw-a fw-b; do
		in_ns $fw nft delete table ip apart
	done
	in_ns fw-a ip link set link0 up
}
