# FTP, with the kernel's helper: the firewall dies between PASV and the connection that it announced
scenario() {
	. "$CT_SRC/test/lib/ftp.sh"
	lab_up
	for fw in "${FIREWALLS[@]}"; do
		ftp_may_begin $fw
	done
	ftp_server 10.2.0.10
	ftp_server fd02::10
	dies_in_between 10.1.0.10 10.2.0.10 pasv
	dies_in_between fd01::10 fd02::10 epsv
	dies_in_between 10.1.0.10 10.2.0.10 port
	tables_agree "at the end"
	logged fw-a 'Committed 1 new expectations'
	logged fw-b 'Committed 1 new expectations'
}

ftp_may_begin() {
	in_ns "$1" nft -f - <<-NFT || die "nft refuses the helper"
		table inet ftp {
			ct helper ftp4 { type "ftp" protocol tcp; l3proto ip; }
			ct helper ftp6 { type "ftp" protocol tcp; l3proto ip6; }
			chain helpers {
				type filter hook prerouting priority filter
				meta nfproto ipv4 tcp dport 21 ct helper set "ftp4"
				meta nfproto ipv6 tcp dport 21 ct helper set "ftp6"
			}
		}
		add rule inet filter begin tcp dport 21 accept
	NFT
}

# dies_in_between CLIENT SERVER COMMAND
dies_in_between() {
	ftp_client "$1" "$2"
	ftp open noop "$3" && wait_for 10 expects_are $ACTIVE 1 && expects_replicated_or_show $ACTIVE $BACKUP
	verdict $? "$3 from $1 is expected by both"
	power_off $ACTIVE
	takes_over
	ftp get
	verdict $? "the connection that $3 announced passes $ACTIVE"
	wait_for 10 expects_are $ACTIVE 0 && ftp "$3" get
	verdict $? "and so does the next"
	streams_live "after the take-over"
	power_on $BACKUP
	wait_for 20 has_all $BACKUP $ACTIVE
	verdict $? "$BACKUP has what $ACTIVE has, before that dies"
}
