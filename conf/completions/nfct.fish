# fish completion for nfct(8)
function __nfct_words
    set -l args (commandline -opc)[2..]
    set args (string match -v -- '-*' $args)
    set -l protocols tcp udp udplite gre sctp dccp icmp icmpv6 generic
    set -l cmd $args[1]
    set -l sub $args[2]
    if contains -- "$args[1]" timeout helper
        set cmd $args[2]
        set sub $args[1]
    end
    switch (count $args),"$cmd","$sub"
        case '0,*'
            printf '%s\n' list add delete get flush disable default-set default-get timeout helper version help
        case 1,,timeout
            printf '%s\n' list add delete get flush default-set default-get
        case 1,,helper
            printf '%s\n' list add delete get flush disable
        case '1,*'
            printf '%s\n' timeout helper
        case 2,get,timeout 2,delete,timeout
            nfct list timeout 2>/dev/null | string replace -rf '^\.(.*) = \{$' '$1'
        case 2,add,helper 2,disable,helper 2,get,helper 2,delete,helper
            printf '%s\n' amanda dhcpv6 ftp mdns rpc sane slp ssdp tftp tns
        case '2,default-*' '3,add,*' '3,*,helper'
            printf '%s\n' inet inet6
        case '3,default-*' 4,add,timeout
            printf '%s\n' $protocols
        case '4,*,helper'
            printf '%s\n' tcp udp
        case '*,add,timeout'
            __nfct_states $args[5]
        case '*,default-set,timeout'
            __nfct_states $args[4]
    end
end
function __nfct_states
    switch "$argv[1]"
        case tcp
            printf '%s\n' syn_sent syn_recv established fin_wait close_wait last_ack time_wait close syn_sent2 retrans unacknowledged
        case udp udplite gre
            printf '%s\n' unreplied replied
        case sctp
            printf '%s\n' closed cookie_wait cookie_echoed established shutdown_sent shutdown_recd shutdown_ack_sent heartbeat_sent
        case dccp
            printf '%s\n' request respond partopen open closereq closing timewait
        case icmp icmpv6 generic
            echo timeout
    end
end
complete -c nfct -f -a '(__nfct_words)'
complete -c nfct -s j -l json -d 'one JSON object a line'
