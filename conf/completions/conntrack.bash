# bash completion for conntrack(8)
_conntrack()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words= word proto= command=
	local states="NONE SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE SYN_SENT2"
	local i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-p | --protonum | --proto) proto=${COMP_WORDS[i+1]} ;;
		-[LGDIAUEFCSVhR] | --dump | --get | --delete | --create | --add | --update | --event | --flush | \
			--counter | --stats | --version | --help | --load-file) command=${COMP_WORDS[i]} ;;
		esac
	done
	case $prev in
	-p | --protonum | --proto) words="tcp udp udplite sctp dccp icmp icmpv6 gre" ;;
	-f | --family) words="ipv4 ipv6" ;;
	-o | --output) words="xml extended timestamp id ktimestamp labels userspace save json" ;;
	-e | --event-mask) words="ALL NEW UPDATES DESTROY" ;;
	-u | --status) words="ASSURED SEEN_REPLY UNREPLIED UNSET FIXED_TIMEOUT EXPECTED OFFLOAD HW_OFFLOAD" ;;
	--role) words="client server" ;;
	--state)
		case $proto in
		sctp) words="NONE CLOSED COOKIE_WAIT COOKIE_ECHOED ESTABLISHED SHUTDOWN_SENT SHUTDOWN_RECD
			SHUTDOWN_ACK_SENT HEARTBEAT_SENT HEARTBEAT_ACKED" ;;
		dccp) words="NONE REQUEST RESPOND PARTOPEN OPEN CLOSEREQ CLOSING TIMEWAIT IGNORE INVALID" ;;
		*) words=$states ;;
		esac ;;
	-R | --load-file | -M | --labelmap | --from-file)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	-L | --dump) words="conntrack expect dying unconfirmed" ;;
	-G | -D | -I | -E | -F | -C | -S) words="conntrack expect" ;;
	-l | --label | --label-add | --label-del)
		words=$(while read -r i word; do [[ $i == [0-9]* ]] && echo "$word"; done \
			2>/dev/null < /etc/xtables/connlabel.conf) ;;
	esac
	if [[ -z $words || $cur == -* ]]; then
		if [[ -z $command ]]; then
			words="-L --dump -G --get -D --delete -I --create -A --add -U --update -E --event -F --flush
				-C --counter -S --stats -R --load-file -V --version -h --help"
		else
			words="-s --src --orig-src -d --dst --orig-dst -r --reply-src -q --reply-dst -p --protonum -f
				--family -t --timeout -u --status -m --mark -c --secmark -i --id -w --zone --orig-zone
				--reply-zone -l --label --label-add --label-del -M --labelmap -n --src-nat -g --dst-nat
				-j --any-nat --mask-src --mask-dst --tuple-src --tuple-dst -e --event-mask -b
				--buffer-size -o --output --json -z --zero --from-file --ct-helper --ct-master"
		fi
		case $proto in
		tcp | udp | udplite | sctp | dccp) words+=" --sport --dport --orig-port-src --orig-port-dst
			--reply-port-src --reply-port-dst --mask-port-src --mask-port-dst --tuple-port-src
			--tuple-port-dst" ;;&
		tcp | sctp | dccp) words+=" --state" ;;&
		sctp) words+=" --orig-vtag --reply-vtag" ;;
		dccp) words+=" --role" ;;
		icmp) words+=" --icmp-type --icmp-code --icmp-id" ;;
		icmpv6) words+=" --icmpv6-type --icmpv6-code --icmpv6-id" ;;
		gre) words+=" --srckey --dstkey --reply-key-src --reply-key-dst" ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _conntrack conntrack
