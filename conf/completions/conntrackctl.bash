# bash completion for conntrackctl(8)
_conntrackctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= word= words= i

	COMPREPLY=()
	case $prev in
	-C | --config | --socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	--timeout) return ;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-C | --config | --socket | --timeout) ((i++)) ;;
		-*) ;;
		*) if [[ -z $verb ]]; then verb=${COMP_WORDS[i]}; elif [[ -z $word ]]; then word=${COMP_WORDS[i]}; fi ;;
		esac
	done
	case $verb,$word in
	,) words="status stats dump commit flush resync send purge role stop check" ;;
	stats,) words="general expect network cache runtime link queue rsqueue process" ;;
	dump,) words="internal external" ;;
	flush,) words="internal external kernel" ;;
	resync,) words="kernel peers" ;;
	role,) words="primary backup fault" ;;
	commit, | dump,* | flush,* | resync,*) words="ct expect" ;;
	esac
	[[ $cur == -* ]] && words="-C --config --socket --timeout --json --xml -h --help -V --version"
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _conntrackctl conntrackctl
