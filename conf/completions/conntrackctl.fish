# fish completion for conntrackctl(8)
set -l verbs status stats dump commit flush resync send purge role stop check
complete -c conntrackctl -f
complete -c conntrackctl -n "not __fish_seen_subcommand_from $verbs" -a "$verbs"
complete -c conntrackctl -n '__fish_seen_subcommand_from stats' -a 'general expect network cache runtime link queue rsqueue process'
complete -c conntrackctl -n '__fish_seen_subcommand_from dump' -a 'internal external ct expect'
complete -c conntrackctl -n '__fish_seen_subcommand_from flush' -a 'internal external kernel ct expect'
complete -c conntrackctl -n '__fish_seen_subcommand_from resync' -a 'kernel peers ct expect'
complete -c conntrackctl -n '__fish_seen_subcommand_from commit' -a 'ct expect'
complete -c conntrackctl -n '__fish_seen_subcommand_from role' -a 'primary backup fault'
complete -c conntrackctl -s C -l config -rF -d 'configuration file'
complete -c conntrackctl -l socket -rF -d 'socket of the daemon'
complete -c conntrackctl -l timeout -x -d 'longest silence, seconds'
complete -c conntrackctl -l json -d 'output for programs'
complete -c conntrackctl -l xml -d 'dump as XML'
complete -c conntrackctl -s h -l help
complete -c conntrackctl -s V -l version
