// Package doctor looks at a host and at a rig and says what would make a run
// fail, each with its cure.
//
// It promises that looking changes nothing: no file or folder is made, no
// device is written to but the one line that was asked for, or those of all
// devices where [ExamineBoards] was, and a hub port is held for a moment only. Every check is bounded, one that has nothing to look
// at says nothing, and only [Bad] means that a run would fail. What the checks
// look at is a [Host]: a test gives another than [ThisHost].
//
// It does not know who asks, nor how the results are shown.
package doctor
