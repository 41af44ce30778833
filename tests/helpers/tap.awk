# SPDX-License-Identifier: Apache-2.0
# Reads what one program printed; knows the TAP of bats and of cmocka. Prints each failed test with its words and each
# skipped one with its reason, then a line "counts PASSED FAILED SKIPPED". A program without TAP is one test, judged by
# its exit status (77: skipped, the reason is its last line).
# Variables: label (the program), status (its exit status).

function flush_failed() {
	if (failed_text != "")
		printf "%s", failed_text
	failed_text = ""
}

{ all = all $0 "\n"; last = $0 }

/^1\.\.[0-9]+/ { plan += substr($0, 4); has_plan = 1; next }

/^(not )?ok [0-9]+/ {
	flush_failed()
	seen++
	name = $0
	sub(/^(not )?ok [0-9]+ *(- )?/, "", name)
	if (name ~ /# *[sS][kK][iI][pP]/) {
		skipped++
		printf "skip   %s: %s\n", label, name
	} else if ($1 == "ok") {
		passed++
	} else {
		failed++
		failed_text = sprintf("FAIL   %s: %s\n", label, name)
	}
	next
}

failed_text != "" { failed_text = failed_text "       " $0 "\n" }

END {
	flush_failed()
	if (!has_plan && !seen) {
		if (status == 0) {
			passed = 1
		} else if (status == 77) {
			skipped = 1
			printf "skip   %s: %s\n", label, last
		} else {
			failed = 1
			printf "FAIL   %s: exit status %d\n%s", label, status, all
		}
	} else if (seen < plan) {
		failed += plan - seen
		printf "FAIL   %s: %d of its %d tests have no result (exit status %d)\n%s", label, plan - seen, plan, status, all
	} else if (status != 0 && failed == 0) {
		failed++
		printf "FAIL   %s: exit status %d although no test failed\n%s", label, status, all
	}
	printf "counts %d %d %d\n", passed, failed, skipped
}
