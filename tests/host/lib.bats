# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tests/lib does to Bats itself.

load ../lib/host

setup() { host_setup; }

# Ours set much that is for this run.
bats_fails() {
	must_fail 1 env -i PATH="$(getconf PATH)" \
		bats --formatter tap "$BATS_TEST_TMPDIR/fails.bats"
}

@test "what fails is named by its line in the test, and in teardown" {
	# (Bats would take one that starts with @ for a test of this file.)
	sed 's/^%/@/' >"$BATS_TEST_TMPDIR/fails.bats" <<-TESTS
		load $TOP/tests/lib/host
		setup() { host_setup; }
		teardown() {
			[[ \$BATS_TEST_DESCRIPTION != teardown ]]
		}
		helper() {
			false
			echo "went on"
		}
		%test "condition" {
			echo before
			[[ 1 == 2 ]]
			echo "went on"
		}
		%test "assertion" {
			output='{"a": 1}'
			assert_json '.a == 2'
		}
		%test "helper" {
			helper
		}
		%test "arithmetic" {
			echo before
			((1 == 2))
		}
		%test "loop" {
			local i
			for i in 1 2; do
				[[ \$i != 2 ]]
			done
		}
		%test "exit" {
			echo before
			exit 3
		}
		%test "subshell" {
			(
				echo before
				false
			)
			echo "went on"
		}
		%test "after Bats has noted a line by itself" {
			run /nonesuch
			[[ 1 == 2 ]]
		}
		%test "teardown" {
			:
		}
	TESTS
	bats_fails
	refute_line --partial 'went on'
	local line
	for line in 12 17 20 24 29 34 40 45; do
		assert_line --regexp "in test file .*fails.bats, line $line\\)"
	done
	assert_line --regexp "from function .teardown' in test file .*fails.bats, line 4\\)"
}

@test "and in setup_file" {
	sed 's/^%/@/' >"$BATS_TEST_TMPDIR/fails.bats" <<-TESTS
		load $TOP/tests/lib/host
		setup_file() {
			echo before
			false
		}
		%test "passes" { true; }
	TESTS
	bats_fails
	assert_line --regexp "\(from function .setup_file' in test file .*fails.bats, line 4\)"
}
