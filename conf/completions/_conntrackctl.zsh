#compdef conntrackctl
# zsh completion for conntrackctl(8)

_conntrackctl_words() {
	case $words[1] in
	(stats) compadd general expect network cache runtime link queue rsqueue process ;;
	(dump) (( CURRENT == 2 )) && compadd internal external || compadd ct expect ;;
	(flush) (( CURRENT == 2 )) && compadd internal external kernel || compadd ct expect ;;
	(resync) (( CURRENT == 2 )) && compadd kernel peers || compadd ct expect ;;
	(commit) compadd ct expect ;;
	(role) compadd primary backup fault ;;
	esac
}

_arguments \
	{-C,--config}'[configuration file]:file:_files' '--socket[socket of the daemon]:path:_files' \
	"--timeout[longest silence]:seconds" '--json[output for programs]' '--xml[dump as XML]' \
	{-h,--help}'[help]' {-V,--version}'[version]' \
	'1:verb:(status stats dump commit flush resync send purge role stop check)' \
	'*::word:_conntrackctl_words'
