#compdef tapwarden
# Completion of tapwarden's command line for zsh(1): what bash would offer, by the file that it reads.

local name
local -a offered others
offered=("${(@f)$(bash -c '
	compopt() { echo files; }
	source "$1"
	COMP_CWORD=$2 COMP_WORDS=("${@:3}")
	_tapwarden
	printf "%s\n" "${COMPREPLY[@]}"' bash @COMPLETIONS@/tapwarden $((CURRENT - 1)) "${(@Q)words}" 2>/dev/null)}")
# Files are zsh's own matter; a name of something else may be meant as well.
if [[ $offered[1] == files ]]; then
	shift offered
	for name in $offered; do
		[[ -e $name ]] || others+=($name)
	done
	offered=($others)
	_files
fi
compadd -- ${offered:#}
