# SPDX-License-Identifier: GPL-2.0-or-later
#
# What each shell offers. Live words come from a stand-in of the tool here,
# which tells what it was asked; tests/guest/cli-completion.bats has real ones.

load ../lib/host

setup() {
	host_setup
	unset IOMMUFDCTL_CONTEXT IOMMUFDCTL_ROOT
	COMPLETIONS=$TOP/completions
	ASKED=$BATS_TEST_TMPDIR/asked
	BIN=$BATS_TEST_TMPDIR/bin
	mkdir "$BIN"
	cat >"$BIN/iommufdctl" <<-SH
		#!/bin/sh
		echo "\$*" >>"$ASKED"
		case "\$*" in
		*fails*) echo "an error" >&2; exit 1 ;;
		*"completion names") printf 'default\tnamed\nvm1\tnamed\n' ;;
		*"completion devices") printf '0000:01:00.0\tnvme\n0000:01:00.1\tvfio-pci\n' ;;
		*"completion objects") printf '1\tioas\n12\tioas\n' ;;
		*"completion contexts") printf '7\tqemu\npid:812:3\tqemu\nfd:3\tinherited\n' ;;
		esac
	SH
	chmod +x "$BIN/iommufdctl"
}

# What SHELL offers at the end of LINE, sorted, a word a line in $output:
# offers SHELL LINE
offers() {
	local shell=$1 line=$2
	: >"$ASKED"
	output=$("in_$shell" "$line" 2>&1 | sort -u)
	echo "[$shell] $line => ${output//$'\n'/ }"
}

# For bash the words are what it would put in place of what follows the last
# ':' or '=', as it would have it from an interactive line.
in_bash() {
	PATH=$BIN:$PATH bash --norc -c '
		source "$1"
		COMP_WORDBREAKS=$'"' \\t\\n\"\\'><=;|&(:'"'
		COMP_LINE=$2 COMP_POINT=${#2}
		_iommufdctl
		printf "%s\n" "${COMPREPLY[@]}"
	' - "$COMPLETIONS/iommufdctl.bash" "$1"
}

in_zsh() {
	PATH=$BIN:$PATH timeout 60 zsh -f \
		"$TOP/tests/host/cli-zsh-capture.zsh" "$COMPLETIONS" "$1"
}

in_fish() {
	PATH=$BIN:$PATH HOME=$BATS_TEST_TMPDIR fish --no-config -c '
		source $argv[1]; complete -C $argv[2]
	' "$COMPLETIONS/iommufdctl.fish" "$1" | cut -f 1
}

# The same for every shell: all LINES must offer WORDS, one line each.
all_offer() {
	local line=$1 words=$2 shell
	for shell in bash zsh fish; do
		offers $shell "$line"
		assert_equal "${output//$'\n'/ }" "$words"
	done
}

need_shells() { requires zsh fish; }

@test "the scripts checked in are those that the tool prints" {
	diff "$COMPLETIONS/iommufdctl.bash" <(iommufdctl completion bash)
	diff "$COMPLETIONS/_iommufdctl" <(iommufdctl completion zsh)
	diff "$COMPLETIONS/iommufdctl.fish" <(iommufdctl completion fish)
}

@test "each shell can read its script" {
	need_shells
	bash -n "$COMPLETIONS/iommufdctl.bash"
	zsh -n "$COMPLETIONS/_iommufdctl"
	fish -n "$COMPLETIONS/iommufdctl.fish"
}

@test "commands, and what they take" {
	need_shells
	local commands="completion context create destroy device devices doctor graph help hold list map monitor recv run set show unmap"
	all_offer "iommufdctl " "$commands"
	all_offer "iommufdctl d" "destroy device devices doctor"
	all_offer "iommufdctl --json s" "set show"
	all_offer "iommufdctl --json sh" show
	all_offer "iommufdctl help " "$commands"
	all_offer "iommufdctl create " "fault hwpt ioas"
	all_offer "iommufdctl completion " "bash fish zsh"
	all_offer "iommufdctl list --type " \
		"access device fault hwpt-nested hwpt-paging ioas"
	all_offer "iommufdctl list --type hw" "hwpt-nested hwpt-paging"
}

@test "options, long and in full, of each command" {
	need_shells
	local shell c
	for shell in bash zsh fish; do
		for c in list show create map unmap set destroy device context hold run recv devices doctor completion help; do
			offers $shell "iommufdctl $c --"
			for option in $(iommufdctl $c --help |
				grep -oE -- '^.{6}--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
				grep -qx -- "$option" <<<"$output"
			done
		done
		offers $shell "iommufdctl list --ty"
		assert_output --partial --type
		offers $shell "iommufdctl show --ty"
		refute_output --partial --type
	done
}

@test "objects of the context that is chosen, wherever it is chosen" {
	need_shells
	for line in "iommufdctl destroy " "iommufdctl show --json " \
		"iommufdctl destroy 12 "; do
		all_offer "$line" "1 12"
		assert_equal "$(<"$ASKED")" "completion objects"
	done
	for line in "iommufdctl -c 7 destroy " "iommufdctl destroy -c 7 " \
		"iommufdctl --json -c 7 show "; do
		all_offer "$line" "1 12"
		assert_equal "$(<"$ASKED")" "-c 7 completion objects"
	done
	all_offer "iommufdctl --context=pid:8:3 destroy 12" "12"
	assert_equal "$(<"$ASKED")" "--context=pid:8:3 completion objects"
}

@test "one object, and then what is said of it" {
	need_shells
	for line in "iommufdctl map " "iommufdctl map --anon 4K " \
		"iommufdctl unmap --all " "iommufdctl set "; do
		all_offer "$line" "1 12"
		assert_equal "$(<"$ASKED")" "completion objects"
	done
	for shell in bash zsh fish; do
		for line in "map 1 " "map 1 --anon 4K " "unmap 1 0-4095 "; do
			offers $shell "iommufdctl $line"
			# zsh goes on with options by itself
			assert_equal "$(grep -v ^- <<<"$output")" ''
		done
	done
	all_offer "iommufdctl -c 7 set 12 " "allow=none huge-pages=off huge-pages=on"
	all_offer "iommufdctl set 12 huge-pages=on a" "allow=none"
	assert_equal "$(<"$ASKED")" ""
}

@test "files, where an option takes one" {
	need_shells
	mkdir -p "$BATS_TEST_TMPDIR/dir"
	touch "$BATS_TEST_TMPDIR/dir/memory"
	cd "$BATS_TEST_TMPDIR" || return
	for shell in bash zsh fish; do
		offers $shell "iommufdctl map 1 --file dir/m"
		# zsh leaves out what is there already
		[[ $output == dir/memory || $shell:$output == zsh:memory ]]
	done
	offers bash "iommufdctl map 1 --file=dir/m"
	assert_output dir/memory
	all_offer "iommufdctl map 1 --anon dir/m" ""
}

@test "contexts, in all their forms" {
	need_shells
	all_offer "iommufdctl -c " "7 fd:3 pid:812:3"
	all_offer "iommufdctl list --context 7" "7"
	offers bash "iommufdctl -c pid:"
	assert_output "812:3"
	offers bash "iommufdctl -c pid:812:"
	assert_output "3"
	offers bash "iommufdctl --context=f"
	assert_output "fd:3"
	offers fish "iommufdctl -c pid:"
	assert_output "pid:812:3"
	offers zsh "iommufdctl -c pid:"
	assert_output "pid:812:3"
}

@test "named contexts, and the words of options" {
	need_shells
	all_offer "iommufdctl context " "create destroy list"
	all_offer "iommufdctl context destroy " "default vm1"
	assert_equal "$(<"$ASKED")" "completion names"
	all_offer "iommufdctl context destroy v" vm1
	all_offer "iommufdctl run --rlimit-mode " "process user"
	all_offer "iommufdctl context create --rlimit-mode p" process
}

@test "devices, by their addresses, and a map's file" {
	need_shells
	all_offer "iommufdctl devices " "0000:01:00.0 0000:01:00.1"
	assert_equal "$(<"$ASKED")" "completion devices"
	offers bash "iommufdctl devices 0000:01:00.0 0000:01:"
	assert_output $'00.0\n00.1'
	for shell in fish zsh; do
		offers $shell "iommufdctl devices 0000:01:00.1 0000:"
		assert_output --partial 0000:01:00.0
	done
	cd "$BATS_TEST_TMPDIR"
	: >guest.map
	for shell in bash zsh fish; do
		offers $shell "iommufdctl devices --check-map gue"
		assert_output guest.map
	done
}

@test "a plan, by its examples" {
	need_shells
	all_offer "iommufdctl doctor --plan " "mem=4G,devices=1 mem=4G,devices=1,viommu"
	# bash goes on behind the last '='
	offers bash "iommufdctl doctor --plan mem=4G,devices=1,v"
	assert_output 1,viommu
	offers bash "iommufdctl doctor --plan=mem"
	assert_output --partial "mem=4G,devices=1"
	for shell in zsh fish; do
		offers $shell "iommufdctl doctor --plan mem=4G,devices=1,v"
		assert_output mem=4G,devices=1,viommu
	done
}

@test "devices: a verb, and then ids; ids where an option takes one" {
	need_shells
	all_offer "iommufdctl device " "attach bind detach list unbind"
	for line in "iommufdctl device attach " "iommufdctl device attach 1 " \
		"iommufdctl create hwpt --device "; do
		all_offer "$line" "1 12"
		assert_equal "$(<"$ASKED")" "completion objects"
	done
	all_offer "iommufdctl -c 7 create hwpt --device 1 --ioas 12" 12
	assert_equal "$(<"$ASKED")" "-c 7 completion objects"
}

@test "recv: a socket's path, then another program's command line" {
	need_shells
	: >"$BATS_TEST_TMPDIR/here.sock"
	cd "$BATS_TEST_TMPDIR"
	for line in "iommufdctl recv her" "iommufdctl hold --socket her"; do
		offers zsh "$line"
		assert_output here.sock
		offers fish "$line"
		assert_output here.sock
	done
	for line in "iommufdctl recv /x mkfif" "iommufdctl recv /x -- mkfif" \
		"iommufdctl recv /x --fd 9 mkfif"; do
		offers bash "$line"
		assert_output mkfifo
	done
	for line in "iommufdctl recv /x mkfif" "iommufdctl recv /x --fd 9 mkfif" \
		"iommufdctl recv -- /x mkfif"; do
		offers zsh "$line"
		assert_output mkfifo
	done
}

@test "run: another program's command line" {
	need_shells
	for line in "iommufdctl run mkfif" "iommufdctl run -- mkfif" \
		"iommufdctl -c 7 run --fd 9 mkfif"; do
		all_offer "$line" mkfifo
	done
	all_offer "iommufdctl run --ne" --new
}

@test "errors of the tool are not seen, nor is it ever asked as someone else" {
	need_shells
	all_offer "iommufdctl -c fails destroy " ""
	run grep -rE 'sudo|su -|doas|pkexec' "$COMPLETIONS"
	assert_failure 1
}

@test "bash finds the script by its name when it is installed" {
	requires bash-completion
	make -s -C "$TOP" install-cli DESTDIR="$BATS_TEST_TMPDIR/dest" PREFIX=/usr
	XDG_DATA_DIRS=$BATS_TEST_TMPDIR/dest/usr/share run bash --norc -c '
		source /usr/share/bash-completion/bash_completion
		_completion_loader iommufdctl
		complete -p iommufdctl'
	assert_output "complete -F _iommufdctl iommufdctl"
}
