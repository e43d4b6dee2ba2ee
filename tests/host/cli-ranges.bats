# SPDX-License-Identifier: GPL-2.0-or-later
#
# map, unmap, set and create's --allow: what they take on the command line, and
# that the place of a mistake is named. With no kernel a command line that is
# right fails because there is no context.

load ../lib/host

setup() {
	host_setup
	SCHEMA=$TOP/schema/iommufdctl.schema.json
	export IOMMUFDCTL_CONTEXT=fd:71
	unset IOMMUFDCTL_ROOT
}

# right ARG...: nothing is wrong but that descriptor 71 is not open.
right() {
	must_fail 3 iommufdctl "$@"
	assert_output --partial "descriptor 71 is not open"
	assert_equal "${#lines[@]}" 1
}

# wrong TEXT ARG...: usage, with TEXT in the one line.
wrong() {
	local text=$1
	shift
	must_fail 64 iommufdctl "$@"
	assert_output --partial "$text"
	assert_equal "${#lines[@]}" 1
}

@test "ranges that are right" {
	local range
	for range in 0-0 0x0-0xfff 0-4095 0x1000+0x1000 4096+4096 4K+4K 1G+64M \
		0x10G+1 0+1 0+16777215T 1T+1T 0xABC-0xabd 0-0xffffffffffffffff \
		0-18446744073709551615 0xffffffffffffffff-0xffffffffffffffff \
		0xffffffffffffffff+1 1+0xffffffffffffffff 0+18446744073709551615 \
		18446744073709551614+2 00-01 0x00-0x01; do
		right unmap 1 "$range"
		right create ioas --allow "$range"
		right set 1 "allow=$range"
		right set 1 "allow=0-0xfff,$range"
	done
	right unmap 1 0-1 2-3 0x4-0x5
	right set 1 allow=0-1,2-3,4K+4K
	right set 1 allow=none
	right create ioas --allow 0-1 --allow=0x10+1M --no-huge-pages
}

@test "ranges that are wrong, and where" {
	local at word expected
	while read -r at word expected; do
		[[ $word != "''" ]] || word=''
		wrong "'$word' is no range: at character $at, expected $expected" \
			unmap 1 "$word"
		wrong "'$word' is no range: at character $at, expected $expected" \
			create ioas --allow "$word"
		wrong "'allow=0-1,$word' is no list of ranges: at character \
$((at + 10)), expected " set 1 "allow=0-1,$word"
	done <<-'RANGES'
		1 '' a number
		1 x a number
		1 +5 a number
		2 0X10-0X20 a unit
		2 0 a unit (K, M, G, T), or '-' and the last address, or '+' and the length
		2 0_4 a unit
		2 0k+1 a unit
		3 4K '-' and the last address, or '+' and the length
		3 4KK+1 '-' and the last
		3 0x-5 a hexadecimal digit
		3 0- a number
		3 0+ a number
		3 0--5 a number
		5 0-0x a hexadecimal digit
		4 0-5- the end
		4 0-5x the end
		5 0+4Ki the end
		4 0-1G a last address without a unit
		3 5-4 an address that is not below the first one
		6 0x10-0xf an address that is not below the first one
		3 0+0 a length of at least 1
		3 0+0K a length of at least 1
		5 0x5-0xffffffffffffffff0 a number below 2^64
		1 18446744073709551616-5 a number below 2^64
		1 16777216T-5 a number below 2^64
		3 0+16777216T a number below 2^64
		3 0+18446744073709551616 a number below 2^64
		3 1+18446744073709551615K a number below 2^64
		20 0xffffffffffffffff+2 a length that ends below 2^64
		4 2K+18446744073709551615 a length that ends below 2^64
	RANGES
}

@test "lists of ranges: where they are wrong" {
	wrong "at character 7, expected a number" set 1 allow=
	wrong "at character 7, expected a number" set 1 allow=,
	wrong "at character 11, expected a number" set 1 allow=0-1,
	wrong "at character 11, expected a number" set 1 allow=0-1,,2-3
	wrong "at character 10, expected ',' and another range, or the end" \
		set 1 'allow=0-1;2-3'
	wrong "at character 7, expected a number" set 1 allow=nonesuch
	wrong "expected the end" unmap 1 0-1,2-3
	wrong "expected the end" create ioas --allow 0-1,2-3
}

@test "sizes and addresses" {
	local word at
	for word in 1 4096 0x1000 4K 16M 1G 0xfK; do
		right map 1 --anon "$word"
		right map 1 --anon=64K --iova "$word"
	done
	right map 1 --anon 4K --iova 0
	right map 1 --anon 4K --iova 0xffffffffffffffff --read-only
	while read -r at word; do
		[[ $word != "''" ]] || word=''
		wrong "'$word' is no size for --anon: at character $at, expected" \
			map 1 --anon "$word"
	done <<-'SIZES'
		1 ''
		1 0
		1 0x0
		1 -4K
		1 G
		2 4k
		2 4X
		3 4KB
		3 0x
		1 18446744073709551616
		1 16777216T
	SIZES
	wrong "'4KB' is no address for --iova: at character 3, expected the end" \
		map 1 --anon 4K --iova 4KB
	wrong "'x' is no address for --iova" map 1 --anon 4K --iova x
}

@test "map: one object and one sort of memory" {
	wrong "Say its ID" map
	wrong "'one' is no object's id" map one --anon 4K
	wrong "'2' is one argument too many" map 1 2 --anon 4K
	wrong "Say --file=PATH or --anon=SIZE (see" map 1
	wrong "Say --file=PATH or --anon=SIZE, not both" \
		map 1 --anon 4K --file /dev/shm
	wrong "needs a value" map 1 --file
}

@test "map: what cannot be mapped is told of before a context is asked for" {
	local dir=$BATS_TEST_TMPDIR
	must_fail 1 iommufdctl map 1 --file "$dir/none"
	assert_output --partial "cannot open '$dir/none': No such file"
	must_fail 1 iommufdctl map 1 --file "$dir"
	assert_output --partial "cannot open '$dir': Is a directory"
	must_fail 1 iommufdctl map 1 --file "$dir" --read-only
	assert_output --partial "'$dir' is no regular file"
	touch "$dir/empty"
	must_fail 1 iommufdctl map 1 --file "$dir/empty"
	assert_output --partial "'$dir/empty' is empty"
	mkfifo "$dir/pipe"
	for only in '' --read-only; do
		# shellcheck disable=SC2086 # an option or none
		must_fail 1 timeout 20 iommufdctl map 1 --file "$dir/pipe" $only
		assert_output --partial "is no regular file"
	done
	must_fail 1 iommufdctl map 1 --file "$dir"/$'\e[31m'
	refute_output --partial $'\e'
	must_fail 1 iommufdctl map 1 --anon 16777215T
	assert_output --partial "cannot make memory of"
	must_fail 1 iommufdctl map 1 --anon 16777215T --json
	assert_schema "$SCHEMA" '#/$defs/error'
	assert_json '.errno == "EFBIG" and .command == "map"'
}

@test "unmap: ranges, or all" {
	wrong "Say its ID" unmap
	wrong "Say RANGE or --all" unmap 1
	wrong "choose one" unmap 1 --all 0-1
	wrong "'0-x' is no range" unmap 1 0-1 0-x
	right unmap 1 --all
	right unmap --all 1
}

@test "set: each key once, and with a value that it can have" {
	wrong "Say its ID" set
	wrong "Say KEY=VALUE" set 1
	wrong "'huge-pages' is nothing to set" set 1 huge-pages
	wrong "'huge-page=on' is nothing to set" set 1 huge-page=on
	wrong "'=on' is nothing to set" set 1 =on
	wrong "neither huge-pages=on nor huge-pages=off" set 1 huge-pages=
	wrong "neither huge-pages=on nor huge-pages=off" set 1 huge-pages=ON
	wrong "huge-pages is said twice" set 1 huge-pages=on huge-pages=on
	wrong "allow is said twice" set 1 allow=none allow=0-1
	wrong "'allow=0-1,x'" set 1 huge-pages=on allow=0-1,x
	right set 1 huge-pages=on allow=none
	right set 1 allow=0-1 huge-pages=off
}

@test "mistakes as JSON" {
	must_fail 64 iommufdctl unmap 1 0-x --json
	assert_schema "$SCHEMA" '#/$defs/error'
	assert_json '.command == "unmap" and .errno == null'
	must_fail 64 iommufdctl --json set 1 $'allow=\x1b'
	assert_schema "$SCHEMA" '#/$defs/error'
}
