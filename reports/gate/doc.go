// Package gate says of the records of one firmware, by a policy, whether it may
// ship: PASS, FAIL or INCONCLUSIVE, with a line for each rule. It reads no
// folder and asks no history: whoever calls it brings the records, and what is
// known of them beside.
package gate
