# SPDX-License-Identifier: GPL-2.0-or-later
#
# The fuzzer, for as long as a test run has time: tests/fuzz/fuzz.c.

load ../lib/guest

setup() { guest_setup; }
teardown() { guest_teardown; }

@test "hostile calls from two threads get the answers that the model says" {
	local seconds=5
	! looks_for_mistakes || seconds=60
	must "$BUILD/tests/fuzz/fuzz" --seconds "$seconds"
	echo "# $(tr '\n' ' ' <<<"$output")" >&3
}

@test "a seed replays: the same calls from a fresh context" {
	must "$BUILD/tests/fuzz/fuzz" --seed 42 --rounds 20
	assert_line '20 rounds, 16000 calls, ok'
}
