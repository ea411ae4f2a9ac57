package cli

import (
	"bytes"
	"testing"

	"hilrig/cli/verb"
	"hilrig/record"
)

// What a fault turns beyond the specs named for it is told; where the words do
// not name the fault, each with what it said.
func TestCollateralThatAFaultDoesNotExplainIsToldInFull(t *testing.T) {
	var b bytes.Buffer
	a := &app{App: &verb.App{Out: &b}}
	a.collateral(record.FaultRow{Fault: "no-sni", Collateral: []record.Caught{
		{Spec: "tls/wrong-name", Verdict: record.Fail, Message: "expected a server name", Names: true},
		{Spec: "session/pings", Verdict: record.Fail, Message: "expected a packet;\nsaw none"},
		{Spec: "session/will", Verdict: record.Warn, Message: "m", Names: true},
	}}, false, 0)
	want := "no-sni also turned, in words that name it\n  session/will warn, tls/wrong-name fail\n" +
		"no-sni also turned, and does not explain\n  session/pings fail: expected a packet; saw none\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
