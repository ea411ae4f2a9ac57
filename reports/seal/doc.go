// Package seal says of the files of a run folder whether they are what they were
// when the run ended: by digests that somebody kept, and by a signed list of
// them in the folder itself.
package seal
