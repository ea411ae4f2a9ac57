// Package azure is the verb azure: the steps of the manufacturer's guide in
// Azure's portal by command, and what a run would take of a hub's day.
//
// It promises that what costs, or lets devices in, is said and asked first; that
// nothing is replaced or removed that a run uses or somebody changed meanwhile;
// and that with --dry-run nothing is changed.
//
// It does not know how Azure is spoken to: azure/iothub does.
package azure
