#compdef nfct
# zsh completion for nfct(8)

local -a args
args=(${words[2,CURRENT-1]:#-*})
local cmd=$args[1] sub=$args[2]
[[ $cmd == (timeout|helper) ]] && { cmd=$args[2] sub=$args[1] }

_nfct_states() {
	case $1 in
	(tcp) compadd syn_sent syn_recv established fin_wait close_wait last_ack time_wait close syn_sent2 retrans unacknowledged ;;
	(udp|udplite|gre) compadd unreplied replied ;;
	(sctp) compadd closed cookie_wait cookie_echoed established shutdown_sent shutdown_recd shutdown_ack_sent heartbeat_sent ;;
	(dccp) compadd request respond partopen open closereq closing timewait ;;
	(icmp|icmpv6|generic) compadd timeout ;;
	esac
}

case $#args,$cmd,$sub in
(0,*) compadd list add delete get flush disable default-set default-get timeout helper version help --json ;;
(1,,timeout) compadd list add delete get flush default-set default-get ;;
(1,,helper) compadd list add delete get flush disable ;;
(1,disable,) compadd helper ;;
(1,default-?et,) compadd timeout ;;
(1,*) compadd timeout helper ;;
(2,(get|delete),timeout) compadd -- ${${(M)${(f)"$(nfct list timeout 2>/dev/null)"}:#.* = \{}//(#m)*/${${MATCH#.}% = \{}} ;;
(2,*,helper) compadd amanda dhcpv6 ftp mdns rpc sane slp ssdp tftp tns ;;
(2,default-*) compadd inet inet6 ;;
(3,default-*) compadd tcp udp udplite gre sctp dccp icmp icmpv6 generic ;;
(3,add,*|3,*,helper) compadd inet inet6 ;;
(4,add,timeout) compadd tcp udp udplite gre sctp dccp icmp icmpv6 generic ;;
(4,*,helper) compadd tcp udp ;;
(*,add,timeout) _nfct_states $args[5] ;;
(*,default-set,timeout) _nfct_states $args[4] ;;
esac
