# SPDX-License-Identifier: GPL-2.0-or-later
#
# The schema itself: strict, and of every command. That the output is as it
# says is tested where there is output.

load ../lib/host

setup() {
	host_setup
	SCHEMA=$TOP/schema/iommufdctl.schema.json
}

@test "the schema is one, and says so of every key what it may be" {
	must gojq . "$SCHEMA"
	assert_json '."$schema" | endswith("2020-12/schema")'
	# no definition of an object is open
	assert_json '[."$defs"[] | select(.type == "object") |
		select(.additionalProperties != false)] |
		length == 2'	# context and object, closed by those that refer to them
	assert_json '[.. | objects | select(."$ref"? == "#/$defs/context" or
		."$ref"? == "#/$defs/object") | .unevaluatedProperties] |
		length == 4 and all(. == false)'
	# and every property is required, as null stands for what is not known
	assert_json '[.. | objects | select(.properties? and .additionalProperties?
		== false) | ((.properties | keys) - .required)] | flatten == []'
}

@test "every command that writes JSON has a definition" {
	must gojq . "$SCHEMA"
	for c in list show create map unmap context_list monitor devices doctor; do
		assert_json '."$defs" | has($c)' --arg c $c
	done
}

valid='{"schema_version":1,"source":"probe","contexts":[{"id":7,"name":null,
	"uid":null,"rlimit_mode":null,"pinned_bytes":null,"limit_bytes":null,"holders":[{"pid":8,
	"comm":"a","fd":3}],"objects":[{"id":1,"type":"ioas","users":null,
	"refers_to":null,"referred_by":[],"areas":null,"mapped_bytes":null,
	"pinned_bytes":null,"owner":null,"alignment":1,"huge_pages":null,"ranges":[{"start":
	"0x0","last":"0xffffffffffffffff"}],"allowed":null,"reserved":[],
	"mappings":[{"start":"0x0","last":"0xfff","readable":true,"writeable":false}]}]}]}'

@test "it takes what is right and nothing else" {
	output=$valid
	assert_schema "$SCHEMA" '#/$defs/show'
	for change in '.more = 1' '.contexts[0].more = 1' \
		'.contexts[0].objects[0].more = 1' \
		'.contexts[0].holders[0].more = 1' \
		'.contexts[0].objects[0].ranges[0].more = 1' \
		'.contexts[0].objects[0].mappings[0].more = 1' \
		'del(.contexts[0].objects[0].mappings[0].writeable)' \
		'del(.contexts[0].uid)' 'del(.contexts[0].objects[0].users)' \
		'del(.contexts[0].objects[0].mappings)' '.schema_version = 2' \
		'.contexts[0].id = "7"' '.contexts[0].objects[0].type = "IOAS"' \
		'.contexts[0].objects[0].ranges[0].start = 0' \
		'.contexts[0].objects[0].ranges[0].start = "0x00"' \
		'.contexts[0].objects[0].ranges[0].start = "0xFF"' \
		'.contexts[0].objects = null' '.contexts = []' \
		'.contexts[0].holders[0].comm = "\u001b"'; do
		output=$(gojq "$change" <<<"$valid")
		run assert_schema "$SCHEMA" '#/$defs/show'
		echo "$change"
		assert_failure
	done
}
