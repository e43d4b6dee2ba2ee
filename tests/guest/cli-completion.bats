# SPDX-License-Identifier: GPL-2.0-or-later
#
# Live words: what the shells offer is what there is.

load ../lib/guest
load ../lib/driver
load ../golden/holder

setup() {
	guest_setup
	use_driver
	unset IOMMUFDCTL_CONTEXT
	hold 6
	iommufdctl create ioas -c "pid:$HOLDER" >/dev/null
	iommufdctl create ioas -c "pid:$HOLDER" >/dev/null
	ID=$(context_id "$HOLDER" 6)
}

teardown() {
	exec 5>&-
	drop_holders
	guest_teardown
}

teardown_file() {
	restore_driver
}

# in_SHELL LINE CHOSEN KIND: what the shell offers at the end of LINE, which is
# one where words of KIND belong and CHOSEN is what -c says.
in_bash() {
	bash --norc -c '
		source "$1"
		COMP_WORDBREAKS=$'"' \t\n'"'
		COMP_LINE=$2 COMP_POINT=${#2}
		_iommufdctl
		printf "%s\n" "${COMPREPLY[@]}"
	' - "$TOP/completions/iommufdctl.bash" "$1"
}

in_fish() {
	fish --no-config -c 'source $argv[1]; complete -C $argv[2]' \
		"$TOP/completions/iommufdctl.fish" "$1" | cut -f 1
}

# Only what zsh makes of live words; tests/host has the rest of it, at a terminal.
in_zsh() {
	zsh -f -c '
		compdef() { : }
		_describe() { print -rl -- ${${(P)@[-1]}//\\:/:} }
		source $1
		chosen=(${2:+-c} $2)
		_iommufdctl_live $3
	' - "$TOP/completions/_iommufdctl" "$2" "$3" | sed 's/:[a-z]*$//'
}

# offers SHELL CHOSEN COMMAND WORDS
offers() {
	local line="iommufdctl ${2:+-c $2 }$3 " kind=objects
	[[ $3 != -c ]] || kind=contexts
	output=$("in_$1" "$line" "$2" $kind 2>&1 | sort -u)
	echo "[$1] $line => $output"
	[[ ${output//$'\n'/ } == "$4" ]]
}

live_words() {
	local context=${ID:-pid:$HOLDER}
	offers "$1" "pid:$HOLDER:6" destroy "1 2"
	offers "$1" "$context" show "1 2"
	offers "$1" "" -c "${ID:+$ID }pid:$HOLDER:6"
	offers "$1" $((ID + 1)) destroy ""
	iommufdctl destroy 1 -c "$context"
	offers "$1" "$context" destroy "2"
}

@test "bash completes contexts and objects that there are" { live_words bash; }

@test "zsh completes contexts and objects that there are" {
	requires zsh
	live_words zsh
}

@test "fish completes contexts and objects that there are" {
	requires fish
	live_words fish
}

@test "inherited descriptors are completed too" {
	drop_holders
	exec 5<>/dev/iommu
	in_bash "iommufdctl -c f" >"$BATS_TEST_TMPDIR/out"
	grep -qx fd:5 "$BATS_TEST_TMPDIR/out"
}

@test "a user who may see nothing is offered nothing, in silence" {
	run as_user bash --norc -c '
		source "$1"
		COMP_LINE="iommufdctl -c pid:$2 destroy " COMP_POINT=100
		_iommufdctl
		printf "%s\n" "${COMPREPLY[@]}"
	' - "$TOP/completions/iommufdctl.bash" "$HOLDER"
	assert_output ''
}
