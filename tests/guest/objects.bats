# SPDX-License-Identifier: GPL-2.0-or-later
#
# The life of objects, driven from inside the kernel by the test driver.

load ../lib/guest
load ../lib/testdrv

setup() {
	guest_setup
	exec 5<>/dev/iommu
	drv_open 5
}

teardown() {
	# Whatever a failed test left in the background would keep the context.
	local jobs
	mapfile -t jobs < <(jobs -p)
	((${#jobs[@]} == 0)) || kill -9 "${jobs[@]}" 2>/dev/null || true
	exec 5>&-
	drv_close
	guest_teardown
}

ctx_id() { context_at "/proc/$BASHPID/fdinfo/5"; }

count() {
	sed -n 's/^iommufd-objects:\t//p' "/proc/$BASHPID/fdinfo/5"
}

# users ID: as debugfs shows them
users() {
	awk -v id="$1" '$1 == id { print $3 }' "$DEBUGFS/$(ctx_id)/objects"
}

destroy() { helper destroy 5 "$1"; }

@test "an object that another refers to is EBUSY, then it is not" {
	local ioas test
	ioas=$(helper ioas 5)
	test=$(drv_make create "$ioas")
	[[ $(users "$ioas") == 2 ]]
	must_fail 1 destroy "$ioas"
	assert_output EBUSY
	must destroy "$test"
	[[ $(users "$ioas") == 1 ]]
	must destroy "$ioas"
	must_fail 1 destroy "$ioas"
	assert_output ENOENT
	[[ $(count) == 0 ]]
}

@test "several references from one object count one by one" {
	local ioas test
	ioas=$(helper ioas 5)
	test=$(drv_make create "$ioas" "$ioas" "$ioas")
	[[ $(users "$ioas") == 4 ]]
	must grep "^$test " "$DEBUGFS/$(ctx_id)/objects"
	assert_output --regexp " $ioas,$ioas,$ioas +- +- "
	must destroy "$test"
	[[ $(users "$ioas") == 1 ]]
}

@test "a lasting reference from the kernel is EBUSY" {
	local ioas
	ioas=$(helper ioas 5)
	drv hold "$ioas"
	must_fail 1 destroy "$ioas"
	assert_output EBUSY
	drv drop "$ioas"
	must destroy "$ioas"
}

@test "a call in flight is no reason for EBUSY: destroy waits for it" {
	local ioas busy waiter
	ioas=$(helper ioas 5)
	drv busy "$ioas" 0 &
	busy=$!
	wait_for_inflight
	destroy "$ioas" &
	waiter=$!
	wait_for_drain
	sleep 0.3
	kill -0 "$waiter"
	drv_go 0
	wait "$busy"
	wait "$waiter"
	[[ $(count) == 0 ]]
}

@test "from the moment that a destroy waits, no lookup finds the object" {
	local ioas waiter
	ioas=$(helper ioas 5)
	drv busy "$ioas" 0 &
	wait_for_inflight
	destroy "$ioas" &
	waiter=$!
	wait_for_drain
	[[ $(count) == 0 ]]
	must_fail 1 helper use 5 "$ioas"
	assert_output ENOENT
	must_fail 1 destroy "$ioas"
	assert_output ENOENT
	run grep "^$ioas " "$DEBUGFS/$(ctx_id)/objects"
	assert_failure
	drv_go 0
	wait "$waiter"
}

@test "of a destroy and a call that makes its hold lasting, the first wins" {
	local ioas busy waiter
	# The destroy first: it gets the object, and the call ENOENT.
	ioas=$(helper ioas 5)
	drv busy-hold "$ioas" 0 2>"$BATS_TEST_TMPDIR/err" &
	busy=$!
	wait_for_inflight
	destroy "$ioas" &
	waiter=$!
	wait_for_drain
	drv_go 0
	wait "$waiter"
	wait "$busy" || true
	must cat "$BATS_TEST_TMPDIR/err"
	assert_output --partial 'No such file'
	[[ $(count) == 0 ]]

	# The call first: the destroy gets EBUSY, and the object stays whole.
	ioas=$(helper ioas 5)
	drv_go 0
	drv busy-hold "$ioas" 0
	must_fail 1 destroy "$ioas"
	assert_output EBUSY
	must helper use 5 "$ioas"
	[[ $(users "$ioas") == 2 ]]
	drv drop "$ioas"
	must destroy "$ioas"
}

@test "a destroyer killed while it waits leaves no object behind" {
	local ioas waiter busy status=0
	ioas=$(drv_make create)
	drv busy "$ioas" 0 &
	busy=$!
	wait_for_inflight
	"$HELPERS/destroy" 5 "$ioas" &
	waiter=$!
	wait_for_drain
	# A signal that does not kill does not end the wait either.
	kill -USR1 "$waiter"
	sleep 0.3
	sleep_in iommufd_object_destroy 1
	kill -KILL "$waiter"
	wait "$waiter" || status=$?
	((status == 137))
	kill -0 "$busy"
	must_fail 1 destroy "$ioas"
	assert_output ENOENT
	drv_go 0
	wait "$busy"
	[[ $(count) == 0 ]]
	# A test object holds its driver: were it leaked, this could not go.
	drv put
	drv_close
	must rmmod iommufd_testdrv
	drv_open 5
}

@test "an id whose object is not finished cannot be found" {
	local ioas id step
	ioas=$(helper ioas 5)
	for step in "reserved" "half $ioas" "whole $ioas"; do
		drv_fails 'Input/output error' fail "$step"
		id=$(drv_result)
		((id == ioas + 1))
		must_fail 1 destroy "$id"
		assert_output ENOENT
		[[ $(count) == 1 ]]
		[[ $(users "$ioas") == 1 ]]
	done
	# And the id is free again.
	[[ $(drv_make create "$ioas") == $((ioas + 1)) ]]
}

@test "an object that refers to what is not there is not made" {
	local ioas
	ioas=$(helper ioas 5)
	drv_fails 'No such file' create "$ioas" 77
	[[ $(count) == 1 ]]
	[[ $(users "$ioas") == 1 ]]
}

@test "an object that the kernel owns is EBUSY to the user" {
	local id
	id=$(drv_make own)
	[[ $(users "$id") == 2 ]]
	must_fail 1 destroy "$id"
	assert_output EBUSY
	drv disown "$id"
	must_fail 1 destroy "$id"
	assert_output ENOENT
	[[ $(count) == 0 ]]
}

@test "nobody else can take a lasting reference on what the kernel owns" {
	local id
	id=$(drv_make own)
	drv_fails 'No such file' hold "$id"
	drv_fails 'No such file' create "$id"
	must_fail 1 destroy "$id"
	assert_output EBUSY
	drv disown "$id"
	[[ $(count) == 0 ]]
}

# drv2: a session beside the first, on the same context
drv2() { echo "$*" >&"$DRV2"; }

@test "an owner waits for calls in flight, even when it is killed" {
	local id owner busy
	exec {DRV2}<>/sys/kernel/debug/iommufd_testdrv/session
	drv2 ctx 5
	id=$(drv_make own)
	drv2 busy "$id" 0 &
	busy=$!
	wait_for_inflight
	drv disown "$id" &
	owner=$!
	wait_for sleep_in iommufd_object_destroy_owned 1
	kill -KILL "$owner"
	sleep 0.3
	sleep_in iommufd_object_destroy_owned 1
	drv_go 0
	wait "$busy"
	wait "$owner" || true
	exec {DRV2}>&-
	[[ $(count) == 0 ]]
}

@test "a session that ends ends what it owns, and no destroy comes between" {
	local id n
	exec {DRV2}<>/sys/kernel/debug/iommufd_testdrv/session
	drv2 ctx 5
	for ((n = 0; n < 20; n++)); do drv2 own; done
	# Without its descriptor, or the close below would not be the last.
	(exec {DRV2}>&-; while :; do
		for ((id = 1; id <= 20; id++)); do
			[[ $(destroy "$id") != '' ]] || exit 1
		done
	done) &
	exec {DRV2}>&-
	kill -0 $!
	kill $!
	wait $! || true
	[[ $(count) == 0 ]]
}

@test "a destroyer killed with two calls in flight: the last one frees" {
	local id first second waiter
	exec {DRV2}<>/sys/kernel/debug/iommufd_testdrv/session
	drv2 ctx 5
	id=$(drv_make create)
	drv busy "$id" 1 &
	first=$!
	drv2 busy "$id" 2 &
	second=$!
	wait_for_inflight 2
	"$HELPERS/destroy" 5 "$id" &
	waiter=$!
	wait_for_drain
	kill -KILL "$waiter"
	wait "$waiter" || true
	drv_go 1
	wait "$first"
	kill -0 "$second"
	drv_go 2
	wait "$second"
	drv2 put
	exec {DRV2}>&-
	drv put
	drv_close
	must rmmod iommufd_testdrv
	drv_open 5
}

@test "what is published already is not published over" {
	expect_splat 'iommufd_object_finalize' drv twice
	[[ $(count) == 1 ]]
	must destroy "$(drv_result)"
	[[ $(count) == 0 ]]
}

@test "a type that does not fit is ENOENT, as an id that is not there" {
	local id
	id=$(drv_make create)
	must_fail 1 helper use 5 "$id"
	assert_output ENOENT
}

@test "a context with 100,000 objects is torn down" {
	exec 6<>/dev/iommu
	must helper many 6 100000
	exec 6>&-
	wait_for one_context
}

one_context() { (($(grep -c '^[0-9]' "$DEBUGFS/contexts") == 1)); }

@test "chains of 20,000 objects are torn down, whichever way the ids run" {
	local way
	for way in up down; do
		drv put
		exec 6<>/dev/iommu
		drv ctx 6
		drv chain 20000 "$way"
		drv put
		exec 6>&-
		wait_for one_context
		drv ctx 5
	done
	# All of them are gone: each would hold the driver.
	drv put
	drv_close
	must rmmod iommufd_testdrv
	drv_open 5
}

@test "objects in a circle are reported and leaked, and the close returns" {
	drv put
	exec 6<>/dev/iommu
	drv ctx 6
	drv circle
	drv create 1
	drv put
	expect_splat '2 objects are still referred to, leaked' close_6
	drv free-circle
	drv_close
	must rmmod iommufd_testdrv
	drv_open 5
}

close_6() {
	exec 6>&-
	wait_for one_context
}
