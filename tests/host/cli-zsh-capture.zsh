# SPDX-License-Identifier: GPL-2.0-or-later
#
# zsh -f cli-zsh-capture.zsh FOLDER LINE: what zsh, with FOLDER's completions,
# would offer at the end of LINE, a word a line. It can be asked only through a
# terminal: so a zsh of its own is given one, and says in place of its menus
# what they would be made of.

zmodload zsh/zpty

setup=(
	"PS1= PS2= RPS1="
	"stty -echo -onlcr"
	"fpath=(${(q)1} \$fpath)"
	"autoload -Uz compinit && compinit -u -D"
	"bindkey '^I' complete-word"
	"bindkey '^M' undefined-key"
	"zstyle ':completion:*' list-grouped false"
	# what is added, as it is added
	"compadd() {
		local -a __hits
		if [[ \$* != *-O* && \$* != *-A* && \$* != *-D* ]]; then
			builtin compadd -A __hits \"\$@\"
			(( \$#__hits )) && print -rl -- \"+\"\${^__hits}
		fi
		builtin compadd \"\$@\"
	}"
	"__done() { print -r -- ++done; compstate[insert]= compstate[list]= }"
	"compprefuncs=() comppostfuncs=(__done)"
	# the editor is up: what is typed before that may be lost
	"zle-line-init() { print ++ready }"
	"zle -N zle-line-init"
)

zpty shell zsh -f -i
for line in $setup; do
	print -r -- $line
done >${TMPDIR:-/tmp}/zsh-capture.$$
zpty -w shell "source ${TMPDIR:-/tmp}/zsh-capture.$$"
zpty -r -m shell found '*++ready*' || exit 1
zpty -n -w shell "$2"$'\t'

zpty -r -m shell found '*++done*' || exit 1
zpty -d shell
rm -f ${TMPDIR:-/tmp}/zsh-capture.$$
print -r -- $found | tr -d '\r' | sed -n 's/^.*+\([^+]\{1,\}\)$/\1/p' | grep -v '^done$'
