# shellcheck shell=bash
# Completion of tapwarden's command line for bash(1). It knows no verb and no option: the usages that
# the program prints say which there are, and what stands behind them.

# The usages of a verb, or of one under it ("boot render"), then what the help says of options.
_tapwarden_help()
{
	"$program" help "$verb" 2>/dev/null | awk -v called="tapwarden $verb${sub:+ $sub} " '
	!usage_ended && NF { sub(/^usage:/, ""); sub(/^ */, ""); $0 = $0 " "
		if (index($0, called) == 1) { print; more = more || / \[OPTIONS\] / }
		next }
	{ usage_ended = 1 }
	(more || called !~ / .* .* /) && $0 !~ /^  .*tapwarden [a-z]/'
}

# What stands behind an option: "FILE", "none|starts"; nothing when it takes no value.
_tapwarden_value_of()
{
	grep -oE -e "(^|[^A-Za-z-])$1(, --[a-z-]+)? [A-Za-z][][A-Za-z|.=,-]*" <<<"$help" |
		sed 's/.* //; s/\].*//' | grep -E -m1 '[A-Z|]'
}

# The words of the usage that are neither options nor their values, in order.
_tapwarden_operands()
{
	local words word behind=
	read -ra words < <(sed 's/\([A-Z]\) | \([A-Z]\)/\1|\2/g; s/[][]//g' <<<"$help")
	for word in "${words[@]}"; do
		case $word in
		-*) behind=$word ;;
		OPTIONS | '|') behind= ;;
		*[A-Z]*)
			[ -n "$behind" ] && [ "$behind" != -- ] || echo "$word"
			[ "$behind" = -- ] || behind=
			;;
		esac
	done
}

# Offers what a word of a usage stands for.
_tapwarden_offer()
{
	local kind
	for kind in ${1//|/ }; do
		case ${kind%...} in
		FILE* | DIR | SCRIPT)
			compopt -o filenames 2>/dev/null || : # a test calls it outside of a completion
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
			;;
		CMD) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -c -- "$cur") ;;
		IFACE) _tapwarden_reply "$(cd /sys/class/net && echo *)" ;;
		*[A-Z]*) _tapwarden_reply "$("$program" help --names "${kind%...}" ${config:+"$config"} 2>/dev/null)" ;;
		*) _tapwarden_reply "$kind" ;;
		esac
	done
}

_tapwarden_options()
{
	grep -oE -e '(^|[][ (|,])(--[a-z][a-z-]*|-[A-Za-z0-9])([],. |]|$)' <<<"$help" |
		grep -oE -e '--?[a-zA-Z0-9-]+' | sort -u
}

_tapwarden_reply()
{
	mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$1" -- "$cur")
}

# Reads what was typed behind the verb: how many operands, whose value the word is, which file.
_tapwarden_read()
{
	local i=2 word value=
	[ -z "$sub" ] || i=3
	for (( ; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]/#--config/-c}
		if [ -n "$value" ]; then
			[ "$value" != -c ] || config=${word/#\~/$HOME}
			value=
		elif [ "$word" = -- ]; then
			ended=1
		elif [ -z "$ended" ] && [[ $word == -?* ]]; then
			[ -z "$(_tapwarden_value_of "$word")" ] || value=$word
		else
			n=$((n + 1))
		fi
	done
	option=$value
}

_tapwarden()
{
	local cur=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]/#\~/$HOME} verb=${COMP_WORDS[1]}
	local sub='' help='' option='' config='' ended='' n=0 operands
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		_tapwarden_offer VERB
		return
	fi
	help=$(_tapwarden_help)
	# Verbs under it are words of its usages.
	if grep -q "^tapwarden $verb [a-z]" <<<"$help"; then
		if [ "$COMP_CWORD" -eq 2 ]; then
			_tapwarden_reply "$(sed -n "s/^tapwarden $verb \([a-z]*\) .*/\1/p" <<<"$help")"
			return
		fi
		sub=${COMP_WORDS[2]}
		help=$(_tapwarden_help)
	fi
	_tapwarden_read
	if [ "$option" = --pattern ]; then
		_tapwarden_offer PATTERN
	elif [ -n "$option" ]; then
		_tapwarden_offer "$(_tapwarden_value_of "$option")"
	elif [ -z "$ended" ] && [[ $cur == -* ]]; then
		_tapwarden_reply "$(_tapwarden_options)"
	else
		mapfile -t operands < <(_tapwarden_operands)
		# The last one may be any number of them.
		if [[ ${operands[*]} == *... && $n -ge ${#operands[@]} ]]; then
			n=$((${#operands[@]} - 1))
			# Of a command's own words nothing is known but that files are among them.
			operands[n]=${operands[n]/CMD/FILE}
		fi
		_tapwarden_offer "${operands[n]:-}"
	fi
}

complete -F _tapwarden tapwarden
