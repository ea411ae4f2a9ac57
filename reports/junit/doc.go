// Package junit writes a record as JUnit XML, the way its consumers read it:
// Jenkins (junit and xUnit plugins), GitLab, GitHub actions, Azure DevOps,
// Allure.
//
// It promises names that never depend on labels, attempts or order; a failure
// of the device as <failure>, one of the rig or the harness as <error>; files
// that stay small; and, in the strict form, validity against the schema of
// Jenkins' xUnit plugin (junit-10.xsd).
//
// It does not know how a run came about: the record is all it reads.
package junit
