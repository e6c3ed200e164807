# bash completion for ballastctl: commands, options, kinds, and the names that the node knows.
# The lists of commands and options come from the program's own help, so they cannot fall behind.

_ballastctl_names()
{
	# $1: kind; the first column of its table, without the heading
	"${COMP_WORDS[0]}" get "$1" 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_ballastctl_options()
{
	# $1: a command, or nothing
	"${COMP_WORDS[0]}" help ${1:+"$1"} 2>/dev/null | grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+'
}

_ballastctl_commands()
{
	"${COMP_WORDS[0]}" help 2>/dev/null | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'
}

_ballastctl()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command="" i
	local kinds="stacks instances vips pools servers listeners certificates generations"
	local fields="document instance vip pool server check listener route limit certificate secret"

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-o | --output | --server | --stack | --token-file | -i | --interval | -n | --times | --sort) ((i++)) ;;
		-*) ;;
		*) command=${COMP_WORDS[i]}; break ;;
		esac
	done

	case $before in
	-o | --output) COMPREPLY=($(compgen -W "table json yaml" -- "$word")); return ;;
	--stack) COMPREPLY=($(compgen -W "$(_ballastctl_names stacks)" -- "$word")); return ;;
	--token-file) COMPREPLY=($(compgen -f -- "$word")); return ;;
	esac
	if [[ $word == -* ]]; then
		COMPREPLY=($(compgen -W "$(_ballastctl_options "$command")" -- "$word"))
		return
	fi
	case $command in
	"") COMPREPLY=($(compgen -W "$(_ballastctl_commands)" -- "$word")) ;;
	help) COMPREPLY=($(compgen -W "$(_ballastctl_commands)" -- "$word")) ;;
	apply | diff) COMPREPLY=($(compgen -f -- "$word")) ;;
	drain | ready | disable | weight)
		COMPREPLY=($(compgen -W "$(_ballastctl_names servers)" -- "$word")) ;;
	rollback) COMPREPLY=($(compgen -W "$(_ballastctl_names generations)" -- "$word")) ;;
	get | delete)
		if [[ $before == "$command" ]]; then
			COMPREPLY=($(compgen -W "$kinds" -- "$word"))
		else
			COMPREPLY=($(compgen -W "$(_ballastctl_names "$before")" -- "$word"))
		fi ;;
	explain)
		case $before in
		vip | listener | pool | instance)
			COMPREPLY=($(compgen -W "$(_ballastctl_names "${before}s")" -- "$word")) ;;
		*)
			COMPREPLY=($(compgen -W "$fields $(_ballastctl_names servers)" -- "$word")) ;;
		esac ;;
	esac
}

complete -F _ballastctl ballastctl
