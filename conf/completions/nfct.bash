# bash completion for nfct(8)
_nfct()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words= args=() w cmd= sub=

	COMPREPLY=()
	for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $w == -* ]] || args+=("$w")
	done
	case ${args[0]} in
	timeout | helper | version | help) sub=${args[0]} cmd=${args[1]} ;;
	*) cmd=${args[0]} sub=${args[1]} ;;
	esac
	case ${#args[@]},$cmd,$sub in
	0,*) words="list add delete get flush disable default-set default-get timeout helper version help --json" ;;
	1,,timeout) words="list add delete get flush default-set default-get" ;;
	1,,helper) words="list add delete get flush disable" ;;
	1,disable,) words="helper" ;;
	1,default-?et,) words="timeout" ;;
	1,*) words="timeout helper" ;;
	2,get,timeout | 2,delete,timeout)
		words=$("${COMP_WORDS[0]}" list timeout 2>/dev/null | sed -n 's/^\.\(.*\) = {$/\1/p') ;;
	2,add,helper | 2,disable,helper | 2,get,helper | 2,delete,helper)
		words="amanda dhcpv6 ftp mdns rpc sane slp ssdp tftp tns" ;;
	2,default-*) words="inet inet6" ;;
	3,default-*) words="tcp udp udplite gre sctp dccp icmp icmpv6 generic" ;;
	3,add,* | 3,disable,helper | 3,get,helper | 3,delete,helper) words="inet inet6" ;;
	4,add,timeout) words="tcp udp udplite gre sctp dccp icmp icmpv6 generic" ;;
	4,*,helper) words="tcp udp" ;;
	*,add,timeout) words=$(_nfct_states "${args[4]}") ;;
	*,default-set,timeout) words=$(_nfct_states "${args[3]}") ;;
	esac
	[[ $cur == -* ]] && words="-j --json"
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

_nfct_states()
{
	case $1 in
	tcp) echo syn_sent syn_recv established fin_wait close_wait last_ack time_wait close syn_sent2 retrans \
		unacknowledged ;;
	udp | udplite | gre) echo unreplied replied ;;
	sctp) echo closed cookie_wait cookie_echoed established shutdown_sent shutdown_recd shutdown_ack_sent \
		heartbeat_sent ;;
	dccp) echo request respond partopen open closereq closing timewait ;;
	icmp | icmpv6 | generic) echo timeout ;;
	esac
}
complete -F _nfct nfct
