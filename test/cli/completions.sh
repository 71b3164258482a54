#!/bin/bash
# The shell completions load without complaint and offer what they should, in bash, zsh and fish.
dir=${CT_SRC:?}/conf/completions
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fails=0 checks=0

# want SHELL "typed line" WORD...: every WORD is offered for the word under completion; !WORD is not
want()
{
	local shell=$1 line=$2 offers w
	shift 2
	offers=$("offers_$shell" "$line") || offers=
	for w; do
		checks=$((checks + 1))
		case $w in
		!*) grep -qxF -- "${w#!}" <<< "$offers" || continue ;;
		*) grep -qxF -- "$w" <<< "$offers" && continue ;;
		esac
		echo "$shell: '$line' should offer $w, it offers: $(tr '\n' ' ' <<< "$offers")"
		fails=$((fails + 1))
	done
}

offers_bash()
{
	bash --norc -c '. "$1/${2%% *}.bash" || exit 1; read -ra COMP_WORDS <<< "$2"; [[ $2 == *" " ]] && COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); "_${2%% *}"; printf "%s\n" "${COMPREPLY[@]}"' bash "$dir" "$1" 2>&1
}

offers_fish()
{
	HOME=$work XDG_CONFIG_HOME=$work fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' \
		"$dir/${1%% *}.fish" "$1" 2>&1 | cut -f1
}

# zsh completes only in an interactive shell: one runs on a pseudo terminal, and compadd tells what it was given
offers_zsh()
{
	python3 "$CT_SRC/test/cli/zsh_offers.py" "$dir" "$work" "$1"
}

each()
{
	want "$1" "nfct " list add timeout helper
	want "$1" "nfct de" delete default-set default-get
	want "$1" "nfct timeout " list default-get
	want "$1" "nfct add timeout x " inet inet6
	want "$1" "nfct add timeout x inet " tcp generic
	want "$1" "nfct add timeout x inet tcp " established !replied
	want "$1" "nfct add helper " ftp tns
	want "$1" "conntrack -L -p " tcp icmpv6
	want "$1" "conntrack -L -p tcp --st" --state --status
	want "$1" "conntrack -L -p tcp --state ES" ESTABLISHED
	want "$1" "conntrack -L -f " ipv4 ipv6
	want "$1" "conntrackctl " status role
	want "$1" "conntrackctl role " primary backup fault
	want "$1" "conntrackctl stats " network process
}

ran=
for shell in bash zsh fish; do
	command -v "$shell" > /dev/null || continue
	each "$shell"
	ran="$ran $shell"
done
for tool in conntrack nfct conntrackctl; do
	bash -n "$dir/$tool.bash" || fails=$((fails + 1))
	! command -v zsh > /dev/null || zsh -n "$dir/_$tool.zsh" || fails=$((fails + 1))
	! command -v fish > /dev/null || fish -n "$dir/$tool.fish" || fails=$((fails + 1))
done
echo "$checks completions in$ran, $fails wrong"
[ "$fails" -eq 0 ]
