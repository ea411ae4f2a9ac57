// Package sdkpeer finds Microsoft's SDKs for Node as peers of tests: what
// scripts/peers.sh installed by the lock file of azure/localhub/testdata/sdk
// into a folder of the user's cache. It installs nothing itself. Nothing but
// tests imports it.
package sdkpeer
