package console

import "testing"

func TestForeignLinesAreTheDevicesOwn(t *testing.T) {
	tr := &transfer{c: &Console{set: Settings{Prompt: "SEND FILE...", OK: "DONE"}}, command: "9270,20", data: []byte("BEGIN\nabc\nEND\n")}
	for _, c := range []struct {
		name, received string
		want           int
	}{
		{"nothing", "", 0},
		{"no echo", "\r\nSEND FILE...\r\nDONE\r\n", 0},
		{"echo", "9270,20\r\n\r\nSEND FILE...\r\nBEGIN\r\nabc\r\nEND\r\n*DONE\r\n", 0},
		{"log lines", "\nSEND FILE...\n[12] radio: RSSI -71\n[13] heap 4711\nDONE\n", 2},
		{"a log line within the echo", "BEG[12] x\r\nIN\r\nabc\r\nEND\r\n*DONE\r\n", 2},
	} {
		if got := tr.foreign([]byte(c.received)); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}
