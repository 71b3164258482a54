# fish completion for conntrack(8)
complete -c conntrack -f
function __conntrack_proto
    string match -rq -- "(^| )(-p|--protonum|--proto)[ =]?($argv[1])( |\$)" (commandline -cp | string lower)
end
for c in 'L dump list' 'G get look-up' 'D delete delete' 'I create create' 'A add create-or-update' 'U update change' 'E event events' 'F flush empty' 'C counter count' 'S stats statistics' 'V version version' 'h help help'
    set -l w (string split ' ' $c)
    complete -c conntrack -s $w[1] -l $w[2] -d $w[3]
end
complete -c conntrack -s R -l load-file -rF -d 'run a file of commands'
complete -c conntrack -a 'conntrack expect dying unconfirmed' -d table
for c in 's src' 'd dst' 'r reply-src' 'q reply-dst' 't timeout' 'm mark' 'c secmark' 'i id' 'w zone' 'l label' 'b buffer-size'
    set -l w (string split ' ' $c)
    complete -c conntrack -s $w[1] -l $w[2] -x
end
for l in orig-src orig-dst orig-zone reply-zone label-add mask-src mask-dst tuple-src tuple-dst ct-helper ct-master
    complete -c conntrack -l $l -x
end
complete -c conntrack -s n -l src-nat -d 'source translation'
complete -c conntrack -s g -l dst-nat -d 'destination translation'
complete -c conntrack -s j -l any-nat -d 'any translation'
complete -c conntrack -l label-del -d 'clear labels'
complete -c conntrack -s z -l zero -d 'reset counters'
complete -c conntrack -l json -d 'one JSON object a line'
complete -c conntrack -s M -l labelmap -rF -d 'names of labels'
complete -c conntrack -l from-file -rF -d 'selections to delete'
complete -c conntrack -s p -l protonum -x -a 'tcp udp udplite sctp dccp icmp icmpv6 gre'
complete -c conntrack -s f -l family -x -a 'ipv4 ipv6'
complete -c conntrack -s o -l output -x -a 'xml extended timestamp id ktimestamp labels userspace save json'
complete -c conntrack -s e -l event-mask -x -a 'ALL NEW UPDATES DESTROY'
complete -c conntrack -s u -l status -x -a 'ASSURED SEEN_REPLY UNREPLIED UNSET FIXED_TIMEOUT EXPECTED OFFLOAD HW_OFFLOAD'
for l in sport dport orig-port-src orig-port-dst reply-port-src reply-port-dst
    complete -c conntrack -n "__conntrack_proto 'tcp|udp|udplite|sctp|dccp'" -l $l -x
end
complete -c conntrack -n '__conntrack_proto tcp' -l state -x -a 'NONE SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE SYN_SENT2'
complete -c conntrack -n '__conntrack_proto sctp' -l state -x -a 'NONE CLOSED COOKIE_WAIT COOKIE_ECHOED ESTABLISHED SHUTDOWN_SENT SHUTDOWN_RECD SHUTDOWN_ACK_SENT HEARTBEAT_SENT HEARTBEAT_ACKED'
complete -c conntrack -n '__conntrack_proto dccp' -l state -x -a 'NONE REQUEST RESPOND PARTOPEN OPEN CLOSEREQ CLOSING TIMEWAIT IGNORE INVALID'
complete -c conntrack -n '__conntrack_proto dccp' -l role -x -a 'client server'
for l in orig-vtag reply-vtag
    complete -c conntrack -n '__conntrack_proto sctp' -l $l -x
end
for p in icmp icmpv6
    for l in type code id
        complete -c conntrack -n "__conntrack_proto $p" -l $p-$l -x
    end
end
for l in srckey dstkey reply-key-src reply-key-dst
    complete -c conntrack -n '__conntrack_proto gre' -l $l -x
end
