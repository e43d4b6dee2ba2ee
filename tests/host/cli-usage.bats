# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tool says and does with no module, no /dev/iommu and no privilege.

load ../lib/host

SCHEMA_ERROR='#/$defs/error'

setup() {
	host_setup
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	unset IOMMUFDCTL_CONTEXT IOMMUFDCTL_ROOT
}

# The commands, from the tool's own usage text.
commands() {
	iommufdctl --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

# Ends with STATUS, with nothing on stdout and one line on stderr: fails_with
# STATUS ARG... The line is then $output.
fails_with() {
	local want=$1 out
	shift
	# bash would put its own words there if the tool were killed
	out=$(iommufdctl "$@" 2>"$BATS_TEST_TMPDIR/err") && status=0 || status=$?
	output=$(<"$BATS_TEST_TMPDIR/err")
	echo "iommufdctl $* => $status: $output"
	[[ $status == "$want" ]]
	[[ ! $out ]]
	(($(wc -l <"$BATS_TEST_TMPDIR/err") == 1))
	[[ $output == "iommufdctl: "* || $output == "{"*"}" ]]
}

@test "--help, -h and help print the same, and name every command" {
	must iommufdctl --help
	local all=$output
	must iommufdctl -h
	assert_equal "$output" "$all"
	must iommufdctl help
	assert_equal "$output" "$all"
	for c in list show create map unmap set destroy device context hold run recv devices doctor completion help; do
		grep -qE "^  $c +[a-z]" <<<"$all"
	done
}

@test "every command has its help, three ways" {
	(($(commands | wc -l) >= 10))
	for c in $(commands); do
		must iommufdctl "$c" --help
		assert_line --regexp "^Usage: iommufdctl $c "
		local text=$output
		must iommufdctl help "$c"
		assert_equal "$output" "$text"
		must iommufdctl --json "$c" -h
		assert_equal "$output" "$text"
	done
}

@test "list --help tells what each column of the table is" {
	# the header, of a host without contexts
	mkdir -p "$BATS_TEST_TMPDIR/root/proc"
	IOMMUFDCTL_ROOT=$BATS_TEST_TMPDIR/root must iommufdctl list
	local heads=$output
	must iommufdctl list --help
	for head in $heads; do
		assert_line --regexp "^  $head +[a-z]"
	done
}

@test "devices --help tells what each column of the table is" {
	mkdir -p "$BATS_TEST_TMPDIR/root"/{proc,sys/bus}
	IOMMUFDCTL_ROOT=$BATS_TEST_TMPDIR/root must iommufdctl devices
	local heads=$output
	must iommufdctl devices --help
	for head in $heads; do
		assert_line --regexp "^  $head +[a-z]"
	done
}

@test "--version and -V print the version, wherever they stand" {
	for args in --version -V "list --version" "run -V" "--json -V"; do
		# shellcheck disable=SC2086 # words
		must iommufdctl $args
		assert_output --regexp '^iommufdctl [0-9]+\.[0-9]+\.[0-9]+$'
	done
}

@test "usage errors: 64, one line that says where to look" {
	fails_with 64
	fails_with 64 frobnicate
	[[ $output == *"'frobnicate'"*"(see 'iommufdctl --help')" ]]
	fails_with 64 --frobnicate
	fails_with 64 -x list
	fails_with 64 list --frobnicate
	[[ $output == *"unknown option '--frobnicate' (see 'iommufdctl list --help')" ]]
	fails_with 64 list -x
	fails_with 64 list -xh
	fails_with 64 list extra
	[[ $output == *"'extra'"* ]]
	fails_with 64 list --type
	[[ $output == *"'--type' needs a value"* ]]
	fails_with 64 list --type nonsense
	fails_with 64 list -c
	[[ $output == *"'-c' needs a value"* ]]
	fails_with 64 list --json=yes
	[[ $output == *"'--json' takes no value"* ]]
	fails_with 64 show
	fails_with 64 show one
	fails_with 64 show 1 2
	fails_with 64 create
	fails_with 64 create goat
	fails_with 64 create ioas ioas
	fails_with 64 destroy
	fails_with 64 destroy 1 two
	fails_with 64 run
	fails_with 64 run --
	fails_with 64 run --fd 2 true
	fails_with 64 run --fd x true
	fails_with 64 run --fd -1 true
	fails_with 64 run --new -c fd:3 true
	fails_with 64 run --frobnicate true
	fails_with 64 completion
	fails_with 64 completion tcsh
	fails_with 64 devices --frobnicate
	fails_with 64 devices --check-map
	fails_with 64 devices -c 7
	[[ $output == *"leave -c out"* ]]
	fails_with 64 doctor --frobnicate
	fails_with 64 doctor --plan
	fails_with 64 doctor --plan mem=4G
	fails_with 64 doctor -c 7
	[[ $output == *"leave -c out"* ]]
	fails_with 64 help frobnicate
}

@test "commands are not found by a beginning of their name" {
	for c in l li lis sho creat destro contex hol ru rec hel ma unma se; do
		fails_with 64 $c
	done
}

@test "contexts that have no form are usage errors, in every place" {
	for c in '' ' ' 0 007x -1 +1 1.5 0x7 18446744073709551615 \
		18446744073709551616 99999999999999999999999 fd: fd:x fd:-1 \
		fd:3x fd:2147483648 'fd: 3' pid: pid:0 pid:x pid:1: pid::3 \
		pid:1:x pid:1:2:3 pid:2147483648 a/b 'a b' 'a:b' _a .a \
		é "$(printf 'a%.0s' {1..65})"; do
		fails_with 64 list -c "$c"
		fails_with 64 -c "$c" destroy 1
		fails_with 64 run "--context=$c" -- true
	done
	IOMMUFDCTL_CONTEXT=fd:x fails_with 64 create ioas
}

@test "contexts that have one are not" {
	for c in fd:0 fd:2147483647 pid:1 pid:1:0 1 18446744073709551614 \
		default vm1 a.b_c-d "$(printf 'a%.0s' {1..64})"; do
		run iommufdctl create ioas -c "$c"
		assert_failure
		refute [ "$status" = 64 ]
	done
}

@test "the option goes before the variable, and an empty variable is none" {
	IOMMUFDCTL_CONTEXT=fd:71 fails_with 3 create ioas -c fd:72
	[[ $output == *"descriptor 72"* ]]
	IOMMUFDCTL_CONTEXT=fd:71 fails_with 3 create ioas
	[[ $output == *"descriptor 71"* ]]
	IOMMUFDCTL_CONTEXT='' fails_with 3 destroy 1
	[[ $output == *"default"* ]]
}

@test "-c and --json are taken before and after the command" {
	for args in "-c fd:71 --json destroy 1" "--json destroy -c fd:71 1" \
		"destroy 1 --context=fd:71 --json" "destroy --json 1 -cfd:71"; do
		# shellcheck disable=SC2086 # words
		fails_with 3 $args
		assert_json '.error | test("descriptor 71")'
	done
}

@test "no context: each message says what to do" {
	fails_with 3 destroy 1
	[[ $output == *"exec 3<>/dev/iommu"* && $output == *"-c fd:3"* ]]
	fails_with 3 -c vm1 create ioas
	[[ $output == *"'vm1'"* && $output == *"exec 3<>/dev/iommu"* ]]
	fails_with 3 -c fd:71 create ioas
	[[ $output == *"descriptor 71 is not open"*"exec 71<>/dev/iommu"* ]]
	fails_with 3 -c fd:0 create ioas </dev/null
	[[ $output == *"descriptor 0 is no iommufd"* ]]
}

@test "no driver: exit 2, and how to load it" {
	[[ ! -e /dev/iommu && ! -e /sys/class/misc/iommu ]] ||
		skip "this host has an iommufd"
	for args in list "show 1 -c pid:1" "destroy 1 -c 7" "run true"; do
		# shellcheck disable=SC2086 # words
		fails_with 2 $args
		[[ $output == *"modprobe iommufd"* ]]
	done
	fails_with 2 list --json
	assert_json '.errno == "ENOENT" and .command == "list"'
}

@test "errors as JSON: complete and valid, whatever goes wrong" {
	while read -r want args; do
		# shellcheck disable=SC2086 # words
		fails_with "$want" $args
		assert_schema "$SCHEMA" "$SCHEMA_ERROR"
	done <<-'ARGS'
		64 --json
		64 --json frobnicate
		64 frobnicate --json
		64 --frobnicate list --json
		64 list --frobnicate --json
		64 --json list --type
		64 list --type goat --json
		64 show x --json
		64 create goat --json
		64 destroy x --json
		64 destroy --json
		64 run --json
		64 --json run --frobnicate true
		64 run --frobnicate --json true
		64 -c fd:x --json list
		3 -c fd:71 --json create ioas
		3 --json show 1
	ARGS
	assert_json '.errno == null and .command == "show" and .id == null'
	assert_json '.context == null and .referred_by == null'
	assert_json '.schema_version == 1'
}

@test "--json after 'run CMD' is CMD's and not ours" {
	fails_with 64 run --frobnicate true --json
	[[ $output == "iommufdctl: "* ]]
	fails_with 64 run --frobnicate -- --json
	[[ $output == "iommufdctl: "* ]]
}

@test "words that would steer a terminal do not get there" {
	fails_with 64 $'\e[31mred'
	[[ $output != *$'\e'* ]]
	fails_with 64 --json list $'a\nb\xff'
	assert_schema "$SCHEMA" "$SCHEMA_ERROR"
}

@test "a word of any length is no trouble" {
	local long
	long=$(printf 'x%.0s' {1..100000})
	fails_with 64 "$long"
	fails_with 64 list -c "$long"
	fails_with 64 list --json --type "$long"
	assert_schema "$SCHEMA" "$SCHEMA_ERROR"
}
