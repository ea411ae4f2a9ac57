package runner

import (
	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
)

// needs are the secret variables that a job's process reads. They go by its
// pipe: whoever lists processes may see an environment.
func needs(job fixtures.Job) []string {
	h := job.Hub
	h.ResourceID = "" // the run asks Resource Manager
	if job.Feed != 0 {
		h.Events = nil
	}
	return rigfile.SecretVariables(job.Device, h)
}
