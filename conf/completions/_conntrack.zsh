#compdef conntrack
# zsh completion for conntrack(8)

local -a commands options protocols ports
commands=(
	{-L,--dump}'[list entries]' {-G,--get}'[look one entry up]' {-D,--delete}'[delete entries]'
	{-I,--create}'[create an entry]' {-A,--add}'[create or update an entry]' {-U,--update}'[change entries]'
	{-E,--event}'[show events]' {-F,--flush}'[empty the table]' {-C,--counter}'[count entries]'
	{-S,--stats}'[statistics of processors]' {-R,--load-file}'[run a file of commands]:file:_files'
	{-V,--version}'[version]' {-h,--help}'[help]'
)
options=(
	{-s,--src,--orig-src}'[original source]:address' {-d,--dst,--orig-dst}'[original destination]:address'
	{-r,--reply-src}'[reply source]:address' {-q,--reply-dst}'[reply destination]:address'
	{-p,--protonum}'[protocol]:protocol:(tcp udp udplite sctp dccp icmp icmpv6 gre)'
	{-f,--family}'[layer 3 protocol]:family:(ipv4 ipv6)' {-t,--timeout}'[lifetime]:seconds'
	{-u,--status}'[status]:status:_values -s , status ASSURED SEEN_REPLY UNREPLIED UNSET FIXED_TIMEOUT EXPECTED OFFLOAD HW_OFFLOAD'
	{-m,--mark}'[mark]:value[/mask]' {-c,--secmark}'[security mark]:number' {-i,--id}'[identity]:number'
	{-w,--zone}'[zone]:number' '--orig-zone[zone of the original direction]:number'
	'--reply-zone[zone of the reply direction]:number' {-l,--label}'[labels]:names'
	'--label-add[set labels]:names' '--label-del[clear labels]::names' {-M,--labelmap}'[names of labels]:file:_files'
	{-n,--src-nat}'[source translation]::address' {-g,--dst-nat}'[destination translation]::address'
	{-j,--any-nat}'[any translation]::address' '--mask-src[source mask]:netmask' '--mask-dst[destination mask]:netmask'
	'--tuple-src[expected source]:address' '--tuple-dst[expected destination]:address'
	{-e,--event-mask}'[events]:events:_values -s , event ALL NEW UPDATES DESTROY' {-b,--buffer-size}'[event buffer]:bytes'
	{-o,--output}'[output]:format:_values -s , format xml extended timestamp id ktimestamp labels userspace save json'
	'--json[one JSON object a line]' {-z,--zero}'[reset counters]' '--from-file[selections to delete]:file:_files'
	'--ct-helper[helper of a new entry]:name' '--ct-master[master of a new entry]:tuple'
)
ports=(
	{--sport,--orig-port-src}'[original source port]:port' {--dport,--orig-port-dst}'[original destination port]:port'
	'--reply-port-src[reply source port]:port' '--reply-port-dst[reply destination port]:port'
)
local p=${words[(i)(-p|--protonum|--proto)]}
case ${words[p+1]} in
(tcp) options+=($ports '--state[state]:state:(NONE SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE SYN_SENT2)') ;;
(sctp) options+=($ports '--state[state]:state:(NONE CLOSED COOKIE_WAIT COOKIE_ECHOED ESTABLISHED SHUTDOWN_SENT SHUTDOWN_RECD SHUTDOWN_ACK_SENT HEARTBEAT_SENT HEARTBEAT_ACKED)'
	'--orig-vtag[verification tag]:number' '--reply-vtag[verification tag]:number') ;;
(dccp) options+=($ports '--state[state]:state:(NONE REQUEST RESPOND PARTOPEN OPEN CLOSEREQ CLOSING TIMEWAIT IGNORE INVALID)' '--role[role]:role:(client server)') ;;
(udp|udplite) options+=($ports) ;;
(icmp) options+=('--icmp-type[type]:number' '--icmp-code[code]:number' '--icmp-id[id]:number') ;;
(icmpv6) options+=('--icmpv6-type[type]:number' '--icmpv6-code[code]:number' '--icmpv6-id[id]:number') ;;
(gre) options+=('--srckey[key]:number' '--dstkey[key]:number' '--reply-key-src[key]:number' '--reply-key-dst[key]:number') ;;
esac
_arguments -s $commands $options '*::table:(conntrack expect dying unconfirmed)'
