package doctor

import "context"

func checkOpenSSL(_ context.Context, h *Host) []Result {
	path, err := h.Program("openssl")
	if err != nil {
		return []Result{warn("sudo apt install openssl", "no openssl: identities are not compared with what it says")}
	}
	return []Result{fine("%s", path)}
}
